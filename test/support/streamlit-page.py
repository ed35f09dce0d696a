"""Runs the Streamlit page given as an argument with Streamlit's own harness, and prints what it shows as one JSON document."""

import json
import sys

from streamlit.testing.v1 import AppTest

page = AppTest.from_file(sys.argv[1], default_timeout=60).run()
print(
    json.dumps(
        {
            "exceptions": [one.message for one in page.exception],
            "errors": [one.value for one in page.error],
            "warnings": [one.value for one in page.warning],
            "headers": [one.value for one in page.header],
            "metrics": {one.label: one.value for one in page.metric},
            "tables": [one.value.to_dict("records") for one in page.dataframe],
            "charts": len(page.get("arrow_vega_lite_chart")) + len(page.get("vega_lite_chart")),
        },
        default=str,
    )
)
