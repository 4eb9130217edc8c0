"""An end that is being put down is put down, however often the kernel is interrupted meanwhile."""

from __future__ import annotations

import signal
import threading

from cometnb.session.interrupts import HeldInterrupts


def test_an_interrupt_is_noted_and_breaks_nothing_off() -> None:
    """Afterwards interrupts do what they did before."""
    before = signal.getsignal(signal.SIGINT)
    with HeldInterrupts() as held:
        was_pressed = held.was_pressed
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert (was_pressed, held.was_pressed) == (False, True)
    assert signal.getsignal(signal.SIGINT) is before


def test_on_another_thread_nothing_is_held() -> None:
    """No interrupt comes there, and no handler can be set."""
    pressed: list[bool] = []

    def work() -> None:
        with HeldInterrupts() as held:
            pressed.append(held.was_pressed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert pressed == [False]
