"""What a page about a study shows: of the report and of the dashboard alike, as plain JSON.

sections  a study's page: where it stands, budget, trial table, failures, configuration
figures   which figures, in which order, packed into few bytes
"""
