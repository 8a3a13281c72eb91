python fit.py -m hydra.sweep.dir=../../build/examples/hydra
