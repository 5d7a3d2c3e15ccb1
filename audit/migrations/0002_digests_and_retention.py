"""The functions that read the record for its seals, and those by which alone retention may mask or remove.

`audit_mask` and `audit_remove` belong to a role of their own, which nobody signs in as: the triggers that guard the
record let that role through, and each row it touches leaves a proof with the digest it was sealed under.
"""

from django.db import migrations, transaction
from django.db.utils import ProgrammingError

ROLE = "ndors_retention"

DIGESTS = """
-- One SHA-256 per row, over the text of the columns asked for. What would change that text is fixed here.
CREATE FUNCTION audit_digests(p_table text, p_columns text[], p_ids int8multirange)
RETURNS TABLE (row_id bigint, digest bytea) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, public, pg_temp
SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'postgres'
SET bytea_output = 'hex' SET extra_float_digits = 1 SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT t.%1$I::bigint, sha256(convert_to(ROW(%2$s)::text, ''UTF8'')) '
        'FROM unnest($1) AS s(span) JOIN public.%3$I t '
        'ON t.%1$I >= coalesce(lower(s.span), 0) AND t.%1$I < coalesce(upper(s.span), 9223372036854775807)',
        p_columns[1],
        (SELECT string_agg(format('t.%I', c.name), ', ' ORDER BY c.place)
            FROM unnest(p_columns) WITH ORDINALITY AS c(name, place)),
        p_table
    ) USING p_ids;
END $$;
"""

RETAIN = """
-- Masks (p_changes: column -> value) or removes (p_changes NULL) rows of the record and leaves a proof for each.
CREATE FUNCTION audit_retain(p_table text, p_ids bigint[], p_changes jsonb, p_basis text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    wanted int8multirange := (SELECT range_agg(int8range(id, id, '[]')) FROM unnest(p_ids) AS id);
    part record;
    ids bigint[];
    before bytea[];
    assignments text;
    done bigint := 0;
    touched bigint;
BEGIN
    IF coalesce(p_basis, '') = '' THEN
        RAISE EXCEPTION 'retention needs the rule it acts under';
    END IF;
    IF wanted IS NULL THEN
        RETURN 0;
    END IF;
    IF NOT (p_table IN ('audit_auditevent', 'audit_accesslog') OR p_table ~ '^[a-z_]+_historical[a-z0-9]+$')
        OR NOT EXISTS (
            SELECT FROM pg_trigger
            WHERE tgrelid = format('public.%I', p_table)::regclass AND tgname LIKE 'pgtrigger\\_append\\_only\\_%'
        )
    THEN
        RAISE EXCEPTION '% is no part of the record that retention may touch', p_table;
    END IF;
    IF p_changes IS NOT NULL THEN
        IF p_changes = '{}' OR p_changes ?| ARRAY['id', 'history_id', 'history_date', 'history_type'] THEN
            RAISE EXCEPTION 'keys and times of the record are never masked';
        END IF;
        SELECT string_agg(
            format('%1$I = (jsonb_populate_record(NULL::public.%2$I, $1)).%1$I', name, p_table), ', ' ORDER BY name
        ) INTO assignments FROM jsonb_object_keys(p_changes) AS name;
    END IF;
    FOR part IN
        SELECT l.columns, r.covers * wanted AS spans
        FROM audit_sealedrange r JOIN audit_seallayout l ON l.id = r.layout_id
        WHERE r."table" = p_table AND r.covers && wanted
        ORDER BY r.id
    LOOP
        SELECT array_agg(d.row_id ORDER BY d.row_id), array_agg(d.digest ORDER BY d.row_id) INTO ids, before
            FROM audit_digests(p_table, part.columns, part.spans) d;
        IF ids IS NULL THEN
            CONTINUE;
        END IF;
        IF p_changes IS NULL THEN
            EXECUTE format('DELETE FROM public.%I WHERE %I = ANY($1)', p_table, part.columns[1]) USING ids;
        ELSE
            EXECUTE format('UPDATE public.%I SET %s WHERE %I = ANY($2)', p_table, assignments, part.columns[1])
                USING p_changes, ids;
        END IF;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> cardinality(ids) THEN
            RAISE EXCEPTION 'rows of % changed underway', p_table;
        END IF;
        INSERT INTO audit_retentionproof
            ("table", row_id, action, columns, basis, actor, digest_before, digest_after)
        SELECT p_table, old.row_id, CASE WHEN p_changes IS NULL THEN 'REMOVED' ELSE 'MASKED' END,
            ARRAY(SELECT name FROM jsonb_object_keys(p_changes) AS name ORDER BY name), p_basis,
            coalesce(current_setting('app.actor', true), ''), old.digest, new.digest
        FROM unnest(ids, before) AS old(row_id, digest)
        LEFT JOIN audit_digests(p_table, part.columns, part.spans) AS new USING (row_id)
        ORDER BY old.row_id;
        done := done + touched;
    END LOOP;
    -- What no seal covers yet could be taken away without a trace.
    IF done <> cardinality(ARRAY(SELECT DISTINCT unnest(p_ids))) THEN
        RAISE EXCEPTION 'some rows of % are missing or not sealed yet: nothing was done', p_table;
    END IF;
    RETURN done;
END $$;

CREATE FUNCTION audit_mask(p_table text, p_ids bigint[], p_changes jsonb, p_basis text)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT public.audit_retain(p_table, p_ids, coalesce(p_changes, '{}'), p_basis) $$;

CREATE FUNCTION audit_remove(p_table text, p_ids bigint[], p_basis text)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$ SELECT public.audit_retain(p_table, p_ids, NULL, p_basis) $$;
"""

OWNED = (
    "audit_retain(text, bigint[], jsonb, text)",
    "audit_mask(text, bigint[], jsonb, text)",
    "audit_remove(text, bigint[], text)",
)

GRANTS = f"""
GRANT SELECT ON audit_sealedrange, audit_seallayout TO {ROLE};
GRANT SELECT, INSERT ON audit_retentionproof TO {ROLE};
GRANT USAGE ON SEQUENCE audit_retentionproof_id_seq TO {ROLE};
"""


def make_role(apps, schema_editor):
    """A role is the whole server's: make it where it is missing, and join it for as long as we hand functions over."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE])
        if cursor.fetchone():
            return
        try:
            with transaction.atomic(using=schema_editor.connection.alias):
                cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
        except ProgrammingError as error:
            raise ProgrammingError(
                f"the role {ROLE} is missing and this database user may not create it. As a superuser, run once: "
                f"CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO <this user>;"
            ) from error


def hand_over(apps, schema_editor):
    """Make the role own the functions. To give them away one must be of the role, and the role may create."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        user, is_superuser = cursor.fetchone()
        user = schema_editor.quote_name(user)
        cursor.execute("SELECT pg_has_role(current_user, %s, 'SET')" if _has_set(cursor) else _MEMBER, [ROLE])
        joins = not is_superuser and not cursor.fetchone()[0]
        if joins:
            _join(cursor, schema_editor.connection.alias, user)
        cursor.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {ROLE}")
        for function in OWNED:
            cursor.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
            cursor.execute(f"ALTER FUNCTION {function} OWNER TO {ROLE}")
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {user}")
        cursor.execute(f"REVOKE CREATE ON SCHEMA public FROM {ROLE}")
        if joins:
            cursor.execute(f"REVOKE {ROLE} FROM {user}")


def _join(cursor, using, user):
    try:
        with transaction.atomic(using=using):
            cursor.execute(f"GRANT {ROLE} TO {user}")
    except ProgrammingError as error:
        raise ProgrammingError(
            f"the role {ROLE} is there but this database user may not hand functions over to it. As a superuser, "
            f"run: GRANT {ROLE} TO {user}; and after migrating: REVOKE {ROLE} FROM {user};"
        ) from error


_MEMBER = "SELECT pg_has_role(current_user, %s, 'MEMBER')"


def _has_set(cursor) -> bool:
    return cursor.connection.server_version >= 160000


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunPython(make_role, migrations.RunPython.noop, elidable=False),
        migrations.RunSQL(DIGESTS, "DROP FUNCTION audit_digests(text, text[], int8multirange)"),
        migrations.RunSQL(
            RETAIN + GRANTS,
            "DROP FUNCTION audit_mask(text, bigint[], jsonb, text); DROP FUNCTION audit_remove(text, bigint[], text);"
            "DROP FUNCTION audit_retain(text, bigint[], jsonb, text);"
            f"REVOKE ALL ON audit_sealedrange, audit_seallayout, audit_retentionproof FROM {ROLE};"
            f"REVOKE ALL ON SEQUENCE audit_retentionproof_id_seq FROM {ROLE};",
        ),
        migrations.RunPython(hand_over, migrations.RunPython.noop, elidable=False),
    ]
