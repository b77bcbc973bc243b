"""What TensorBoard and MLflow have of a run, as JSON; called by tracked_in_python.ts.

    python read_tracked.py tensorboard FOLDER
    python read_tracked.py mlflow URI RUN
"""

import json
import sys

kind, place, *rest = sys.argv[1:]
if kind == "tensorboard":
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(place, size_guidance={"scalars": 0})
    events.Reload()
    curves = {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    print(json.dumps({"curves": curves}))
else:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(place)
    run = client.get_run(rest[0])
    curves = {
        key: [[metric.step, metric.value] for metric in client.get_metric_history(rest[0], key)]
        for key in run.data.metrics
    }
    experiment = client.get_experiment(run.info.experiment_id).name
    print(
        json.dumps(
            {"curves": curves, "parameters": run.data.params, "status": run.info.status, "experiment": experiment, "name": run.info.run_name}
        )
    )
