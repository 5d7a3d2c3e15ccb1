"""Celery tasks of the record, and the base by which every task tells the record which job it is."""

import logging
from typing import Any

from celery import Task, shared_task

from audit.context import Actor, acting
from common import clock
from common.bell import answered

logger = logging.getLogger(__name__)


class ActingTask(Task):  # type: ignore[type-arg]
    """Everything the task writes is recorded as done by "job:<its name>": `@shared_task(base=ActingTask)`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task under its name; its bell may ring again from now on."""
        answered(self.name)
        with acting(Actor("job", self.name.rsplit(".", 1)[-1])):
            return super().__call__(*args, **kwargs)


@shared_task(base=ActingTask, name="audit.jobs.verify_audit")
def verify_audit() -> None:
    """Compute every seal again, and log where the record is broken. May run at any time."""
    from audit.verification import verify

    for problem in verify().problems:
        logger.error("the record is broken: %s", problem.kind)


@shared_task(base=ActingTask, name="audit.jobs.seal")
def seal() -> None:
    """Seal what was recorded since the last seal. May run at any time, twice and at once."""
    from audit import services
    from audit.sealing import SLICE_ROWS

    made = services.seal(now=clock.now())
    while made is not None and made.rows >= SLICE_ROWS:
        made = services.seal(now=clock.now())
