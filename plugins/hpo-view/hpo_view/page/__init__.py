"""The content of a study's page, for reports and the dashboard, as plain JSON.

sections  a study's page: state, budget, trial table, failures, configuration
figures   the figures in order, in a compact encoding
"""
