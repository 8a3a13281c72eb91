"""Callbacks that report the metrics of a training to hpo-core, and end it when it should stop.

lightning.py      PyTorch Lightning
transformers.py   transformers' Trainer
keras.py          Keras 3
xgboost.py        XGBoost
lightgbm.py       LightGBM
catboost.py       CatBoost
reporting.py      what they share

Each module has a `ReportCallback`, and imports its framework.
"""
