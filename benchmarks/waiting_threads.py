"""What it costs that threads which wait for each other spin: training steps beside other trainings, either way.

    python -m benchmarks.waiting_threads

One training of the starter more than there are processors, all at once, each with the usual number of threads, for some
seconds; once with OpenMP's usual way of waiting, and once asleep, as `inference.worker_process` sets it.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time

from benchmarks.machine import machine
from inference.worker_process import ASLEEP

_TOKENS, _BATCH, _CODES = 20, 32, 10


def main() -> None:
    """Measure both ways, twice in turns, and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(_steps(asked.seconds)))
        return
    together = (os.cpu_count() or 1) + 1
    print(f"{machine()}; {together} trainings at once, {asked.seconds:g} s each\n")
    print("| threads that wait | steps a second, all together | processor seconds a step |\n|---|---|---|")
    pace: dict[str, list[float]] = {}
    for name, environment in [("spin", {}), ("sleep", ASLEEP)] * 2:
        done, spent = _together(together, asked.seconds, environment)
        pace.setdefault(name, []).append(done / asked.seconds)
        print(f"| {name} | {done / asked.seconds:.2f} | {spent / max(done, 1):.2f} |", flush=True)
    print(f"\nasleep: {sum(pace['sleep']) / max(sum(pace['spin']), 1e-9):.1f} times as many")


def _together(count: int, seconds: float, policy: dict[str, str]) -> tuple[int, float]:
    """(steps, processor seconds) of so many trainings at once."""
    kept = {name: value for name, value in os.environ.items() if name not in ASLEEP}
    command = [sys.executable, "-m", "benchmarks.waiting_threads", "--child", "--seconds", str(seconds)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, env={**kept, **policy}) for _ in range(count)]
    said = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
    return sum(int(one["steps"]) for one in said), sum(float(one["processor"]) for one in said)


def _steps(seconds: float) -> dict[str, float]:
    """Training steps until the time is over; the first, which loads and plans, is not counted."""
    import torch
    from peft import get_peft_model

    from inference.base_models import base_folder
    from inference.recipe import STARTER
    from inference.train import Model, learn, learning_weights, load, lora_config
    from inference.training_rows import Row

    dice = random.Random(1)
    llama = load(base_folder("starter"))
    get_peft_model(llama, lora_config(STARTER))
    model = Model(llama, torch.arange(_CODES), ())
    optimizer = torch.optim.AdamW(learning_weights(llama), lr=STARTER.rate)
    rows = [
        Row(tuple(dice.randrange(200, 9_000) for _ in range(_TOKENS)), dice.randrange(_CODES)) for _ in range(_BATCH)
    ]
    learn(model, optimizer, rows, STARTER)
    until, before, steps = time.monotonic() + seconds, time.process_time(), 0
    while time.monotonic() < until:
        learn(model, optimizer, rows, STARTER)
        steps += 1
    return {"steps": steps, "processor": time.process_time() - before}


if __name__ == "__main__":
    main()
