"""Open ONNX models: on one thread, with telemetry off, and without files beside the model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any


def open_session(model: bytes | Path) -> Any:
    """Return an ONNX Runtime session of a model file, or of a graph held in memory.

    One thread, because there is a process a core already and the sums must not depend on the number of cores. A graph
    in memory may not name files for its weights: they would be read from wherever the process stands.

    Raises:
        Exception: what ONNX Runtime raises; its errors have no other class in common.
    """
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # every passage has a length of its own
    options.log_severity_level = 3
    # The fused form of an addition and a layer normalisation takes five times as long as the two one after the other.
    settings: dict[str, Any] = {"providers": ["CPUExecutionProvider"], "disabled_optimizers": ["SkipLayerNormFusion"]}
    if isinstance(model, Path):
        return onnxruntime.InferenceSession(str(model), options, **settings)
    with tempfile.TemporaryDirectory() as empty:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", empty)
        return onnxruntime.InferenceSession(model, options, **settings)
