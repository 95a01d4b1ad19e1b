#!/usr/bin/env python3
"""The cluster's DNS: addresses of services, asked of the API at each query; all other names do not exist.

    dns.py ADDRESS KUBECONFIG

Answers A queries for SERVICE.NAMESPACE.svc.cluster.local with the cluster IP, or with the ready endpoints of
a headless service. There is no TCP, no caching, and no record for single pods.
"""

import json
import socket
import socketserver
import ssl
import struct
import sys
import urllib.error
import urllib.request

SUFFIX = ["svc", "cluster", "local"]
TYPE_A, TYPE_ANY, CLASS_IN = 1, 255, 1
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3


class Api:
    def __init__(self, kubeconfig):
        with open(kubeconfig) as file:
            config = json.load(file)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.server, self.token = cluster["server"], user["token"]
        self.tls = ssl.create_default_context(cafile=cluster["certificate-authority"])

    def get(self, path):
        request = urllib.request.Request(self.server + path, headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=2, context=self.tls) as response:
            return json.load(response)

    def addresses(self, namespace, service):
        """The addresses of a service; nothing when there is no such service."""
        try:
            spec = self.get(f"/api/v1/namespaces/{namespace}/services/{service}")["spec"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise
        if spec.get("clusterIP", "None") not in ("", "None"):
            return [spec["clusterIP"]]
        slices = self.get(
            f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
            f"?labelSelector=kubernetes.io/service-name%3D{service}"
        )["items"]
        return [
            address
            for part in slices
            for endpoint in part.get("endpoints") or []
            if endpoint.get("conditions", {}).get("ready", True)
            for address in endpoint["addresses"]
        ]


def parse_question(query):
    """The labels and the type a query asks for, and where its question ends."""
    labels, position = [], 12
    while query[position]:
        end = position + 1 + query[position]
        labels.append(query[position + 1 : end].decode("ascii").lower())
        position = end
    (kind,) = struct.unpack_from(">H", query, position + 1)
    return labels, kind, position + 5


class Handler(socketserver.BaseRequestHandler):
    api = None

    def handle(self):
        query, server = self.request
        try:
            labels, kind, end = parse_question(query)
        except (IndexError, UnicodeDecodeError, struct.error):
            return
        status, found = NO_SUCH_NAME, []
        # A label such as "a/b" must not become part of the path of another object.
        if len(labels) == 5 and labels[2:] == SUFFIX and all(l.replace("-", "").isalnum() for l in labels[:2]):
            try:
                found = self.api.addresses(labels[1], labels[0])
                if found is not None:
                    status = NO_ERROR
            except (OSError, ValueError, KeyError) as error:
                print(f"{'.'.join(labels)}: {error}", flush=True)
                status = SERVER_FAILURE
        answers = b""
        count = 0
        if status == NO_ERROR and kind in (TYPE_A, TYPE_ANY):
            for address in found:
                # 0xc00c points back to the name in the question; the answer holds for one second.
                answers += struct.pack(">HHHIH", 0xC00C, TYPE_A, CLASS_IN, 1, 4) + socket.inet_aton(address)
                count += 1
        header = query[:2] + struct.pack(">HHHHH", 0x8580 | status, 1, count, 0, 0)
        server.sendto(header + query[12:end] + answers, self.client_address)


def main():
    address, kubeconfig = sys.argv[1:]
    Handler.api = Api(kubeconfig)
    with socketserver.ThreadingUDPServer((address, 53), Handler) as server:
        server.daemon_threads = True
        server.serve_forever()


if __name__ == "__main__":
    main()
