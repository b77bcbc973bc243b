"""Drives one kernel through a scenario: JSON steps on standard input, one JSON array of results on standard output.

Steps: {"code", "interrupts": [seconds, ...], "after": message type that the seconds count from} | {"write": path, "text"} | {"pause": seconds} | {"together": [code, ...]}
"""

import json
import os
import queue
import signal
import sys
import threading
import time

from jupyter_client.manager import start_new_kernel

# Seconds without a message: a cell that loads every module of the kit takes half a minute on a busy machine.
SILENCE = 150
KEPT = ("stream", "error", "display_data", "update_display_data", "execute_input")


def collect(client, message, on_output=lambda kind: None):
    outputs = []
    while True:
        received = client.get_iopub_msg(timeout=SILENCE)
        if received["parent_header"].get("msg_id") != message:
            continue
        kind, content = received["msg_type"], received["content"]
        on_output(kind)
        if kind == "status" and content["execution_state"] == "idle":
            break
        if kind in KEPT:
            outputs.append({"type": kind, **content})
    while True:
        reply = client.get_shell_msg(timeout=SILENCE)
        if reply["parent_header"].get("msg_id") == message:
            return {"status": reply["content"]["status"], "outputs": outputs, "reply": reply["content"]}


def step(manager, client, scenario):
    if "write" in scenario:
        with open(scenario["write"], "w", encoding="utf-8") as file:
            file.write(scenario["text"])
        return None
    if "pause" in scenario:
        time.sleep(scenario["pause"])
        return None
    if "complete" in scenario:
        code = scenario["complete"]
        message = client.complete(code, len(code))
    elif "inspect" in scenario:
        message = client.inspect(scenario["inspect"], scenario["position"])
    elif "together" in scenario:
        return [collect(client, message) for message in [client.execute(code) for code in scenario["together"]]]
    else:
        message = client.execute(scenario["code"])
    waiting = list(scenario.get("interrupts", []))

    def start_timers(kind):
        while kind == scenario.get("after") and waiting:
            pid = manager.provisioner.pid
            threading.Timer(waiting.pop(), os.kill, (pid, signal.SIGINT)).start()

    began = time.monotonic()
    return {**collect(client, message, start_timers), "seconds": time.monotonic() - began}


def main():
    manager, client = start_new_kernel(kernel_name="ift-kit", startup_timeout=60)
    try:
        results = []
        for scenario in json.load(sys.stdin):
            try:
                results.append(step(manager, client, scenario))
            except queue.Empty:
                sys.exit(f"the kernel fell silent at {json.dumps(scenario)[:300]}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    print(json.dumps(results))


main()
