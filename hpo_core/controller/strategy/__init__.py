"""The strategy as the controller holds it.

checked  CheckedStrategy: what the strategy answers is validated, what it raises is named
"""
