"""The options of the observer."""

from __future__ import annotations

import msgspec


class MlflowOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of the observer ``mlflow``.

    Credentials are no options, since options are stored: MLflow reads them from its environment
    variables.

    Attributes:
        tracking_uri: The address of the server, or a store of MLflow. None for the variable
            ``MLFLOW_TRACKING_URI``, or else MLflow's default.
        experiment: The experiment, which is created if it does not exist. None for the variable
            ``MLFLOW_EXPERIMENT_NAME``, or else the study's name.
        report: Whether the report of hpo-view is added to the study's run when a session ends, if
            hpo-view is installed.
    """

    tracking_uri: str | None = None
    experiment: str | None = None
    report: bool = True
