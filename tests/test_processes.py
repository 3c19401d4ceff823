"""Background processes leave signals to the process that started them."""

import multiprocessing
import os
import signal
import time

from cascade_qec.processes import signals_blocked


def test_they_live_on_when_the_whole_group_is_told_to_stop():
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    with signals_blocked():
        process.start()
    for signum in (signal.SIGINT, signal.SIGTERM):
        os.kill(process.pid, signum)
    process.join(timeout=0.5)
    assert process.is_alive()
    process.kill()
    process.join()
