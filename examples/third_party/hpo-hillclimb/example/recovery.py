from hpo_core.plugin import Asked, Float, Objective, Problem, Report, SearchSpace, Status, Told

from hpo_hillclimb.options import Options
from hpo_hillclimb.plugin import build

problem = Problem(
    space=SearchSpace((Float("x", 0.0, 1.0),)),
    objectives=(Objective("loss", "minimize"),),
    seed=7,
)
strategy = build(problem, Options(first=3))
history = []
for trial_id in range(1, 11):
    start = strategy.ask(trial_id)
    history.append(Asked(trial_id, start))
    loss = (start.configuration["x"] - 0.3) ** 2
    report = Report(
        trial_id=trial_id, job_id=f"{trial_id}.1", losses=(loss,), status=Status.COMPLETED
    )
    history.append(Told(report, strategy.tell(report)))

recovered = build(problem, Options(first=3))
recovered.restore(history, None)
print(recovered.ask(11) == strategy.ask(11))
