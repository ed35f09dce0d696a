"""The pod's gate: its token, and what its answers mean to Devloop."""

import base64
import hashlib
import hmac
import json
import os
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException

from temporalio.exceptions import ApplicationError


def headers_for(lease):
    """What the gate wants to see. The secret is that of Devloop's workers."""
    secret = os.environ.get("DEVLOOP_GATE_SECRET", "").encode()
    digest = hmac.new(secret, lease["podName"].encode(), hashlib.sha256).digest()
    token = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def post(lease, path, body=None):
    """The answer to a request, open for reading. For errors see `pod_errors`."""
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(lease["endpoint"] + path, data, headers_for(lease))
    return urllib.request.urlopen(request, timeout=120)


@contextmanager
def pod_errors():
    """Of type POD_LOST when the pod does not answer: Devloop looks, and finds another one."""
    try:
        yield
    except urllib.error.HTTPError as error:
        said = f"the pod answered {error.code}"
        if error.code in (404, 502):
            raise ApplicationError(said, type="POD_LOST") from error
        raise ApplicationError(said, non_retryable=error.code == 401) from error
    except TimeoutError:
        raise
    except (OSError, HTTPException) as error:
        raise ApplicationError(f"no connection to the pod: {error}", type="POD_LOST") from error
