"""Monte-Carlo collections: a plan to counts of shots and errors, in sinter's files, with workers that may die."""

from cascade_qec.evaluation.collection.collector import Effort, Progress, collect
from cascade_qec.evaluation.collection.plan import Cell, Plan, cells, make_plan, read_plan
from cascade_qec.evaluation.collection.store import CollectionStore, read_store
from cascade_qec.evaluation.collection.tasks import Machine
from cascade_qec.evaluation.collection.workers import LocalPool

__all__ = [
    "Cell",
    "CollectionStore",
    "Effort",
    "LocalPool",
    "Machine",
    "Plan",
    "Progress",
    "cells",
    "collect",
    "make_plan",
    "read_plan",
    "read_store",
]
