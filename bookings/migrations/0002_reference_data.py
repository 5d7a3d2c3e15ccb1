"""The first policy of booking, and the first version of each text a candidate agrees to."""

from datetime import date

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VALID_FROM = date(2020, 1, 1)
POLICY = {
    "hold_minutes": 15,
    "extend_minutes": 15,
    "extend_times": 2,
    "hold_longest_minutes": 120,
    "closes_minutes": 60,
    "cancel_days": 14,
    "cancel_notice_days": 7,
    "withdrawn_notice_days": 7,
    "move_free_days": 7,
    "move_fee_pence": 2500,
    "full_fee_hours": 24,
}

# kind, the words beside the tick box, the longer text
TEXTS = [
    (
        "DATA_SHARING",
        "I agree that Kent County Council may share what is needed about me with the police and UKROEd",
        "The police force that wrote to you, UKROEd (who run the scheme for the police) and Kent County Council need "
        "to share some facts about you: your name, date of birth, driving licence number and address, and whether you "
        "took the course. They do this to book your course, to tell the police how it went, and to check whether you "
        "may be offered a course again. They share nothing else and sell nothing.",
    ),
    (
        "TERMS",
        "I accept the terms and conditions",
        "You must take the whole course yourself. Be ready 15 minutes before it starts: if you are late you cannot "
        "join and you will have to pay again. Bring a photo driving licence or passport; we cannot accept a copy. You "
        "must take part and treat other people with respect. If you do not finish the course, your case goes back to "
        "the police.\n\n"
        "You can cancel within 14 days of booking and get all your money back, if your course is at least 7 days away. "
        "If the police withdraw your offer through no fault of yours, or if we cancel your course, you get all your "
        "money back.",
    ),
    (
        "PRIVACY",
        "I have read the privacy notice",
        "Kent County Council handles your details for UKROEd and the police. We keep the record of your course for 3 "
        "years and 6 months from the date of the offence if you take it, and for 12 months if you do not. You can ask "
        "for a copy of what we hold about you. The full privacy notice is linked at the foot of every page.",
    ),
    (
        "MEDICAL",
        "I have read the advice about being fit to take part",
        "Take the course only when you feel well enough to listen and take part for the whole of it. If you have a "
        "medical condition that affects your driving, you must tell DVLA. If you are ill on the day, call us before "
        "the course starts.",
    ),
    (
        "DIGITAL",
        "I will join alone, from a quiet private place, with my camera on",
        "A digital course is a live video meeting. You need a computer, tablet or phone with a camera, a microphone "
        "and a steady internet connection. You must be alone, in a private place, and you must not be driving or in a "
        "moving vehicle. Your camera stays on for the whole course. Nothing is recorded.",
    ),
    (
        "EXPRESS_REQUEST",
        "I ask Kent County Council to provide the course even if it takes place within 14 days",
        "When you buy a service online you have 14 days to change your mind. If your course takes place within those "
        "14 days, you ask us now to provide it all the same. Once you have taken the course you can no longer cancel.",
    ),
]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("bookings", "Policy").objects.create(valid_from=VALID_FROM, **POLICY)
    text = apps.get_model("bookings", "ConsentText")
    text.objects.bulk_create(
        text(kind=kind, version=1, valid_from=VALID_FROM, statement=statement, body=body)
        for kind, statement, body in TEXTS
    )


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("bookings", "Policy").objects.filter(valid_from=VALID_FROM).delete()
    apps.get_model("bookings", "ConsentText").objects.filter(version=1, valid_from=VALID_FROM).delete()


class Migration(migrations.Migration):
    dependencies = [("bookings", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
