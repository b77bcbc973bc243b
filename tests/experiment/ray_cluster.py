"""A Ray cluster on loopback: a head without processors and worker nodes of one each. Prints the dashboard's address, then obeys
lines on standard input: "kill" takes a worker node away without notice, "add" brings a new one; the end of input ends it all."""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
from ray.cluster_utils import Cluster  # noqa: E402

NODES = 2
PORT = 8297

cluster = Cluster(
    initialize_head=True,
    head_node_args={"num_cpus": 0, "include_dashboard": True, "dashboard_host": "127.0.0.1", "dashboard_port": PORT},
)
nodes = [cluster.add_node(num_cpus=1) for _ in range(NODES)]
print(f"http://{cluster.head_node.address_info['webui_url']}", flush=True)
for line in sys.stdin:
    if line.strip() == "kill":
        cluster.remove_node(nodes.pop(0), allow_graceful=False)
    elif line.strip() == "add":
        nodes.append(cluster.add_node(num_cpus=1))
    print(f"{len(nodes)} worker nodes", flush=True)
cluster.shutdown()
