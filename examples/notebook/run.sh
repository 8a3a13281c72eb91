jupyter execute tune.ipynb
