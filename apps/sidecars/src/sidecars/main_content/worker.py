"""A process that may be killed: the bound on time, memory and crashes that no library inside a process can give."""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sidecars.main_content.extract import Content, Page, run_worker

START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class _Running:
    process: BaseProcess
    connection: Connection


class ExtractionWorker:
    """Starts its process for the first page, and a new one after a page that had to be stopped."""

    def __init__(self, timeout_s: float, run: Callable[[Connection], None] = run_worker) -> None:
        self._timeout_s = timeout_s
        self._run = run
        self._context = multiprocessing.get_context("spawn")
        self._running: _Running | None = None

    def extract(self, page: Page) -> Content | str:
        """The content of a page, or a sentence saying why there is none; within the time limit, whatever the page."""
        try:
            running = self._running = self._running or self._start()
            running.connection.send(page)
            if running.connection.poll(self._timeout_s):
                answer: Content | str = running.connection.recv()
                return answer
            self.stop()
            return f"The page took longer than {self._timeout_s:g} s."
        except (EOFError, OSError):
            self.stop()
            return "The page ended the extraction; it may need more memory than it is given."

    def stop(self) -> None:
        if self._running is not None:
            self._running.process.kill()
            self._running.process.join()
            self._running.connection.close()
            self._running = None

    def _start(self) -> _Running:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=self._run, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        running = _Running(process, ours)
        if not ours.poll(START_TIMEOUT_S):
            process.kill()
            raise OSError("the worker did not start")
        ours.recv()
        return running
