"""Golden bytes of TensorBoard's event files, made by TensorBoard's own protobuf messages and record writer.

    python tests/parity/make_tensorboard_goldens.py > tests/parity/golden/tensorboard.json
"""

import base64
import io
import json

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter, masked_crc32c

EVENTS = [
    {"wall_time": 1700000000.25, "step": 0, "file_version": "brain.Event:2"},
    {"wall_time": 1700000001.5, "step": 41, "session_log": {"status": 1}},
    {
        "wall_time": 1700000002.0,
        "step": 3_000_000_000,
        "summary": {
            "value": [
                {"tag": "train/loss", "simple_value": 2.5},
                {"tag": "validation loss/Übersetzung → b", "simple_value": 0.0009765625},
            ]
        },
    },
]


def event(given):
    made = Event(wall_time=given["wall_time"], step=given["step"])
    if "file_version" in given:
        made.file_version = given["file_version"]
    if "session_log" in given:
        made.session_log.CopyFrom(SessionLog(status=given["session_log"]["status"]))
    if "summary" in given:
        made.summary.CopyFrom(Summary(value=[Summary.Value(**value) for value in given["summary"]["value"]]))
    return made.SerializeToString()


class Kept(io.BytesIO):
    def close(self):
        pass


def main():
    file = Kept()
    writer = RecordWriter(file)
    for given in EVENTS:
        writer.write(event(given))
    writer.flush()
    texts = ["", "a", "123456789", "TensorBoard " * 50]
    print(
        json.dumps(
            {
                "events": EVENTS,
                "file": base64.b64encode(file.getvalue()).decode(),
                "checksums": [{"text": text, "masked": masked_crc32c(text.encode())} for text in texts],
            },
            indent=1,
        )
    )


main()
