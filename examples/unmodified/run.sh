# Each script as it is: its metrics are printed, in a CSV file, or in TensorBoard's event files.
set -eu
for study in prints writes_csv logs_events; do
    hpo run $study.toml
    hpo jobs "$(echo $study | tr _ -)" --state stopped
done
