from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_exports"),
    ]

    operations = [
        migrations.AlterField(
            model_name="journal",
            name="kind",
            field=models.CharField(
                choices=[
                    ("PAID", "Paid"),
                    ("COMPLETED", "Course completed: components fall due"),
                    ("FORFEITED", "Fee kept: course not completed"),
                    ("REFUNDED", "Refunded"),
                    ("REFUND_FAILED", "Refund came back"),
                    ("REFUND_BANK", "Refunded from the bank"),
                    ("STRIPE_FEE", "Stripe's fee"),
                    ("DISPUTED", "Disputed"),
                    ("DISPUTE_WON", "Disputed money came back"),
                    ("DISPUTE_LOST", "Dispute lost"),
                    ("PAID_OUT", "Paid out by Stripe"),
                    ("ARRIVED", "Payout arrived at the bank"),
                    ("PAYOUT_FAILED", "Payout came back"),
                    ("REVERSAL", "Reversal of a mistake"),
                    ("SETTLED", "Statement paid"),
                ],
                max_length=13,
            ),
        ),
    ]
