"""Workflows: experiments one after another until criteria are met, within bounds and budgets, all written down."""

from cascade_calibration.workflows.criteria import Checked, Criterion
from cascade_calibration.workflows.decisions import Decision, decide
from cascade_calibration.workflows.expressions import Expression
from cascade_calibration.workflows.log import Entry, Log, read_log
from cascade_calibration.workflows.plan import Planned, plan
from cascade_calibration.workflows.run import Run, elapsed, has_begun, last_state
from cascade_calibration.workflows.state import Proposal, Result, State, Target, together
from cascade_calibration.workflows.workflow import (
    Budget,
    Step,
    Workflow,
    load_workflow,
    names,
    read_workflow,
    workflow_of,
)

__all__ = [
    "Budget",
    "Checked",
    "Criterion",
    "Decision",
    "Entry",
    "Expression",
    "Log",
    "Planned",
    "Proposal",
    "Result",
    "Run",
    "State",
    "Step",
    "Target",
    "Workflow",
    "decide",
    "elapsed",
    "has_begun",
    "last_state",
    "load_workflow",
    "names",
    "plan",
    "read_log",
    "read_workflow",
    "together",
    "workflow_of",
]
