"""Database triggers of courses: the place counter, and trainers' assignments that follow their session."""

import pgtrigger

from common.triggers import Unskippable

count_places_inserted = Unskippable(
    name="count_places_inserted",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    referencing=pgtrigger.Referencing(new="new_rows"),
    func="""
        UPDATE courses_session s SET places_claimed = s.places_claimed + d.n
        FROM (SELECT session_id, count(*) AS n FROM new_rows WHERE state <> 'RELEASED' GROUP BY session_id) d
        WHERE s.id = d.session_id;
        RETURN NULL;
    """,
)

count_places_updated = Unskippable(
    name="count_places_updated",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Update,
    referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
    func="""
        UPDATE courses_session s SET places_claimed = s.places_claimed + d.n
        FROM (
            SELECT session_id, sum(n) AS n FROM (
                SELECT session_id, 1 AS n FROM new_rows WHERE state <> 'RELEASED'
                UNION ALL
                SELECT session_id, -1 FROM old_rows WHERE state <> 'RELEASED'
            ) both_sides GROUP BY session_id HAVING sum(n) <> 0
        ) d
        WHERE s.id = d.session_id;
        RETURN NULL;
    """,
)

count_places_deleted = Unskippable(
    name="count_places_deleted",
    level=pgtrigger.Statement,
    when=pgtrigger.After,
    operation=pgtrigger.Delete,
    referencing=pgtrigger.Referencing(old="old_rows"),
    func="""
        UPDATE courses_session s SET places_claimed = s.places_claimed - d.n
        FROM (SELECT session_id, count(*) AS n FROM old_rows WHERE state <> 'RELEASED' GROUP BY session_id) d
        WHERE s.id = d.session_id;
        RETURN NULL;
    """,
)

# Whoever writes a whole row (an admin form, `save()`) sends back the number it once read; only the three triggers
# above, which stand one level deeper, may say another. A new session has no places yet.
keep_count = Unskippable(
    name="keep_count",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("places_claimed"),
    func="""
        IF TG_OP = 'INSERT' THEN
            NEW.places_claimed := 0;
        ELSIF pg_trigger_depth() = 1 THEN
            NEW.places_claimed := OLD.places_claimed;
        END IF;
        RETURN NEW;
    """,
)

# Once people can book, the size of a session is changed only by someone who says why.
capacity_needs_reason = Unskippable(
    name="capacity_needs_reason",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("capacity"),
    condition=pgtrigger.Q(old__capacity__df=pgtrigger.F("new__capacity")) & ~pgtrigger.Q(old__status="DRAFT"),
    func="""
        IF coalesce(current_setting('app.reason', true), '') = '' THEN
            RAISE EXCEPTION 'the capacity of session % changes only with a reason', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'courses_session_capacity_reason';
        END IF;
        RETURN NEW;
    """,
)

# A released place is history: it never comes back, and a place never changes its session or its holder.
places_only_go_forward = Unskippable(
    name="only_go_forward",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    func="""
        IF OLD.state = 'RELEASED' AND NEW.state <> 'RELEASED' OR OLD.state = 'TAKEN' AND NEW.state = 'HELD'
           OR (OLD.session_id, OLD.holder) <> (NEW.session_id, NEW.holder) THEN
            RAISE EXCEPTION 'place % cannot go back, nor to another session or holder', OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'courses_place_only_goes_forward';
        END IF;
        RETURN NEW;
    """,
)

# A licence that does not cover the London day of delivery is refused here, so that no route can roster past it.
assignment_follows_session = Unskippable(
    name="follow_session",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update,
    declare=[("its_session", "courses_session%ROWTYPE"), ("delivery_day", "date"), ("needs_adi", "boolean")],
    func="""
        -- The session's times must not change before this assignment can be seen.
        SELECT * INTO STRICT its_session FROM courses_session WHERE id = NEW.session_id FOR SHARE;
        NEW.starts_at := its_session.starts_at;
        NEW.ends_at := its_session.ends_at;
        NEW.is_live := its_session.status <> 'CANCELLED';
        IF TG_OP = 'UPDATE' AND (OLD.trainer_id, OLD.session_id, OLD.starts_at, OLD.role)
                              = (NEW.trainer_id, NEW.session_id, NEW.starts_at, NEW.role) THEN
            RETURN NEW;
        END IF;
        delivery_day := (its_session.starts_at AT TIME ZONE 'Europe/London')::date;
        IF NEW.is_live AND NOT EXISTS (
            SELECT FROM courses_trainerlicence l
            WHERE l.trainer_id = NEW.trainer_id AND l.course_type_id = its_session.course_type_id
              AND delivery_day BETWEEN l.valid_from AND l.valid_to
        ) THEN
            RAISE EXCEPTION 'trainer % has no licence for this course on %', NEW.trainer_id, delivery_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'courses_assignment_licensed';
        END IF;
        SELECT is_on_road INTO needs_adi FROM courses_coursetype WHERE id = its_session.course_type_id;
        IF NEW.is_live AND needs_adi AND NEW.role = 'ON_ROAD' AND NOT EXISTS (
            SELECT FROM courses_adiregistration a
            WHERE a.trainer_id = NEW.trainer_id AND delivery_day BETWEEN a.valid_from AND a.valid_to
        ) THEN
            RAISE EXCEPTION 'trainer % has no ADI registration on %', NEW.trainer_id, delivery_day
                USING ERRCODE = 'check_violation', CONSTRAINT = 'courses_assignment_adi';
        END IF;
        RETURN NEW;
    """,
)

session_reaches_assignments = Unskippable(
    name="reach_assignments",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("starts_at", "ends_at", "status", "course_type_id"),
    condition=pgtrigger.AnyChange("starts_at", "ends_at", "status", "course_type"),
    func="""
        UPDATE courses_sessiontrainer SET starts_at = NEW.starts_at WHERE session_id = NEW.id;
        RETURN NULL;
    """,
)
