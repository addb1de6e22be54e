#!/usr/bin/env python3
"""As `days.py`, on Ray: a task per batch directory, on as many nodes as there are.

    pip install aml-miner ray
    python examples/ray_days.py data --models trained_models --out scored --address local

Nodes need the wheel, and must see the data, the models and the output under the same paths (a shared file system). A task that fails with
its node is run again; a batch that is broken ends the run with its name.
"""

from pathlib import Path

import ray

import aml_miner as aml
import days


@ray.remote(max_retries=2)
def scored(batch_directory, models, out):
    """A day's task."""
    try:
        return days.write(days.rows_of(batch_directory, models), out, Path(batch_directory).name), None
    except aml.AmlError as error:
        return 0, f"{batch_directory}: {error}"


def main():
    parser = days.arguments("Features, scores and contributions of days, on Ray")
    parser.add_argument("--address", default="local", help="`local` starts one here, `auto` takes the one that runs")
    parser.add_argument("--cpus", type=int, help="processors of a local one")
    args = parser.parse_args()
    # What is imported from beside this file goes to the workers with it.
    ray.init(address=args.address, num_cpus=args.cpus, include_dashboard=False, runtime_env={"working_dir": str(Path(__file__).parent)})
    models, out = str(Path(args.models).resolve()), str(Path(args.out).resolve())
    tasks = [scored.remote(str(Path(path).resolve()), models, out) for path in days.batches_in(args.data)]
    told = ray.get(tasks)
    ray.shutdown()
    problems = [problem for _, problem in told if problem]
    if problems:
        raise SystemExit("\n".join(problems))
    print(f"{sum(rows for rows, _ in told)} rows")


if __name__ == "__main__":
    main()
