"""The registry, with real distributions on the path: a module and its ``.dist-info``."""

from __future__ import annotations

import importlib
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from hpo_core import (
    Budget,
    Categorical,
    Configuration,
    Float,
    HyperParameterOptimizer,
    Int,
    InvalidInput,
    JobSettings,
    Objective,
    PluginChoice,
    PluginError,
    SearchSpace,
    StrategyError,
    StudyConfig,
    StudyFailed,
    StudyState,
    registry,
    replay,
)
from hpo_core.controller.strategy.resolve import prepare
from hpo_core.plugin import (
    BaseStrategy,
    BrokenPlugin,
    Capability,
    DuplicatePlugin,
    Exhausted,
    ObservedStudy,
    Start,
    UnknownPlugin,
    Unsupported,
)
from hpo_core.registry import unknown

ROOT = Path(__file__).parents[1]

GOOD = """
    import msgspec
    from hpo_core.plugin import (
        BaseStrategy,
        Capability,
        Configuration,
        Exhausted,
        Start,
        StrategySpec,
    )
    from hpo_core.plugin import hookimpl

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        first: int = 1
        mode: str = "up"

    class Counting(BaseStrategy):
        def __init__(self, problem, options):
            self._next = options.first

        def ask(self, trial_id, /):
            if self._next > 3:
                return Exhausted()
            self._next += 1
            return Start(Configuration(x=self._next - 1))

    @hookimpl
    def hpo_strategies():
        plain = StrategySpec(
            name="NAME", summary="Counts", build=Counting, options=Options,
            capabilities=frozenset({Capability.INTEGERS}),
        )
        return [plain, StrategySpec(name="NAME:down", summary="Counts down", build=Counting)]
"""

SPEC = """
    from hpo_core.plugin import StrategySpec, hookimpl

    @hookimpl
    def hpo_strategies():
        return RETURNED
"""


class Publish(Protocol):
    """Installs a plugin of this name and source, and returns its module's name."""

    def __call__(
        self,
        plugin: str,
        source: str,
        *,
        distribution: str = "",
        version: str = "1.0",
        entries: str = "",
    ) -> str: ...


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publish]:
    modules: list[str] = []

    def install(
        plugin: str, source: str, *, distribution: str = "", version: str = "1.0", entries: str = ""
    ) -> str:
        distribution = distribution or f"hpo-{plugin}"
        module = f"test_plugin_{distribution.replace('-', '_')}"
        folder = tmp_path / f"{distribution}-{version}"
        information = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        information.mkdir(parents=True)
        (folder / f"{module}.py").write_text(textwrap.dedent(source).replace("NAME", plugin))
        (information / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (information / "entry_points.txt").write_text(
            entries.replace("MODULE", module) or f"[hpo_core]\n{plugin} = {module}\n"
        )
        monkeypatch.syspath_prepend(folder)
        modules.append(module)
        return module

    yield install
    for module in modules:
        sys.modules.pop(module, None)
    importlib.invalidate_caches()


def described(name: str) -> registry.Described:
    """Return what ``hpo plugins`` says of one plugin."""
    (found,) = [found for found in registry.describe() if found.plugin.name == name]
    return found


def study(strategy: str, options: Mapping[str, Any] | None = None, **changes: Any) -> StudyConfig:
    """Return a study that a test's strategy is to run, in this process."""
    fields: dict[str, Any] = {
        "name": "plugged",
        "seed": 7,
        "strategy": PluginChoice(strategy, dict(options or {})),
        "objectives": (Objective("loss", "minimize"),),
        "budget": Budget(jobs=10),
        "job": JobSettings(function="math:sqrt"),
        "space": SearchSpace((Int("x", 1, 3),)),
        "backend": PluginChoice("inline"),
    }
    return StudyConfig(**{**fields, **changes})


class Mine(BaseStrategy):
    def ask(self, trial_id: int, /) -> Start | Exhausted:
        return Start(Configuration(x=trial_id)) if trial_id < 4 else Exhausted()


def half(values: Mapping[str, Any]) -> float:
    return float(values["x"]) / 2


# -- a plugin that is as it should be --------------------------------------------------------


def test_a_third_partys_strategy_runs_a_study_by_its_config_string(publish: Publish) -> None:
    publish("count", GOOD)
    with HyperParameterOptimizer(
        study("count", {"first": 2}), function=lambda values: float(values["x"])
    ) as optimizer:
        result = optimizer.run()
    assert [trial.configuration["x"] for trial in result.trials] == [2, 3]


def test_a_name_resolves_to_the_first_spec_and_a_variant_to_its_own(publish: Publish) -> None:
    publish("count", GOOD)
    assert registry.strategy("count").spec.name == "count"
    assert registry.strategy("count:down").spec.summary == "Counts down"


def test_what_is_resolved_says_which_distribution_it_is_from(publish: Publish) -> None:
    publish("count", GOOD, distribution="acme-search")
    assert str(registry.strategy("count").plugin) == "count (acme-search 1.0)"


def test_a_class_of_the_same_name_as_a_built_in_one_is_not_replaced(publish: Publish) -> None:
    """FACTS: if/elif over class names silently replaced a user's class named `RandomSearch`."""
    module = publish("mine", GOOD.replace("Counting", "RandomSearch"))
    assert registry.strategy("mine").spec.build.__module__ == module
    assert registry.strategy("random").spec.build.__module__ == "hpo_random_search.plugin"


def test_looking_one_plugin_up_imports_no_other(publish: Publish) -> None:
    """FACTS: looking one strategy up imported every installed plugin."""
    wanted, other = publish("wanted", GOOD), publish("other", GOOD)
    registry.strategy("wanted")
    assert wanted in sys.modules
    assert other not in sys.modules


def test_listing_what_is_installed_imports_nothing(publish: Publish) -> None:
    module = publish("count", GOOD)
    assert "count" in [identity.name for identity in registry.installed()]
    assert module not in sys.modules


def test_observers_are_made_for_the_study(publish: Publish) -> None:
    source = """
        from hpo_core.plugin import hookimpl

        class Noting:
            def __init__(self, name): self.name = name
            def observe(self, event): pass

        @hookimpl
        def hpo_observers(config): return [Noting(config["name"])]
    """
    publish("notes", source)
    (observer,) = registry.observers("notes", {}, ObservedStudy(name="s", config={"name": "s"}))
    assert vars(observer) == {"name": "s"}
    assert described("notes").has_observers


# -- names that are not found ----------------------------------------------------------------


def test_an_unknown_name_lists_what_is_installed_and_the_nearest(publish: Publish) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin) as caught:
        registry.strategy("cout")
    said = str(caught.value)
    assert "no strategy 'cout' is installed" in said
    assert "installed strategies: " in said
    assert "count, " in said
    assert "local" not in said  # which is a backend
    assert said.endswith("did you mean 'count'?")


@pytest.mark.parametrize(("name", "meant"), [("down", "'count:down'"), ("donw", "'count:down'")])
def test_the_name_of_a_variant_alone_names_its_strategy(
    publish: Publish, name: str, meant: str
) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin, match=rf"; did you mean {meant}\?$"):
        registry.strategy(name)


def test_a_backend_is_not_taken_for_a_strategy() -> None:
    with pytest.raises(
        UnknownPlugin, match=r"installed backends: .*inline, local.*; did you .*'local'"
    ):
        registry.backend("locl")


def test_what_is_said_of_this_projects_plugins_is_so() -> None:
    strategies = [spec.name for plugin in registry.describe() for spec in plugin.strategies]
    assert set(unknown.VARIANTS) <= set(strategies)
    assert all((ROOT / "plugins" / package).is_dir() for package in unknown.DISTRIBUTIONS.values())


def test_a_variant_of_a_plugin_that_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, absent: None
) -> None:
    monkeypatch.setattr(unknown, "VARIANTS", ("absent:swift",))
    with pytest.raises(
        UnknownPlugin, match=r"did you mean 'absent:swift'\? try: pip install hpo-the-absent$"
    ):
        registry.strategy("swift")


def test_a_missing_plugin_is_named_by_the_distribution_that_the_study_had_it_from(
    publish: Publish, tmp_path: Path
) -> None:
    publish("count", GOOD, distribution="acme-search")
    store = tmp_path / "hpo.db"
    with HyperParameterOptimizer(study("count"), store=store, function=half) as optimizer:
        optimizer.run()
    shutil.rmtree(tmp_path / "acme-search-1.0" / "acme_search-1.0.dist-info")
    said = r"the strategy 'count' is not installed; .* acme-search 1.0: pip install acme-search$"
    with pytest.raises(UnknownPlugin, match=said):
        HyperParameterOptimizer(study("count"), store=store)
    with pytest.raises(UnknownPlugin, match=said):
        replay(store, "plugged")


def test_no_install_hint_for_an_instance(tmp_path: Path) -> None:
    store = tmp_path / "hpo.db"
    with HyperParameterOptimizer(
        study("random"), store=store, strategy=Mine(), function=half
    ) as optimizer:
        optimizer.run()
        config = optimizer.config
    with pytest.raises(PluginError, match=r"an instance of .*Mine, which only a Python program"):
        HyperParameterOptimizer(config, store=store)


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of this project that is not installed."""
    monkeypatch.setitem(unknown.DISTRIBUTIONS, "absent", "hpo-the-absent")


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize("name", ["absent", "absent:variant"])
def test_a_known_plugin_that_is_missing_says_what_to_install(name: str) -> None:
    with pytest.raises(UnknownPlugin, match=r"pip install hpo-the-absent$"):
        registry.strategy(name)


@pytest.mark.usefixtures("absent")
def test_a_misspelt_plugin_that_is_missing_says_which_one_to_install() -> None:
    with pytest.raises(UnknownPlugin, match=r"mean 'absent'\? try: pip install hpo-the-absent$"):
        registry.strategy("absnt")


def test_no_install_hint_for_a_package_guessed_from_a_typing_error() -> None:
    with pytest.raises(UnknownPlugin) as caught:
        registry.strategy("qwertyuiop")
    assert "hpo-qwertyuiop" not in str(caught.value)


def test_an_unknown_variant_names_the_nearest_and_lists_them(publish: Publish) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin, match=r"did you mean 'down'\?; its variants: down"):
        registry.strategy("count:dwn")


def test_an_empty_variant_is_not_the_default(publish: Publish) -> None:
    publish("count", GOOD)
    with pytest.raises(UnknownPlugin, match="no variant ''"):
        registry.strategy("count:")


def test_empty_name_is_a_separate_error() -> None:
    with pytest.raises(UnknownPlugin, match="the strategy has no name"):
        registry.strategy("")


def test_a_plugin_of_another_kind_brings_no_strategy() -> None:
    with pytest.raises(UnknownPlugin, match=r"'local' .hpo-core. provides no strategy"):
        registry.strategy("local")
    with pytest.raises(UnknownPlugin, match="'random' provides no observers"):
        registry.observers("random", {}, ObservedStudy(name="s", config={}))


# -- plugins that are broken -----------------------------------------------------------------

BROKEN = {
    "raises on import": ("raise RuntimeError('no GPU')", "fails to import: RuntimeError: no GPU"),
    "lacks a dependency": ("import no_such_module", "No module named 'no_such_module'"),
    "is not Python": ("def (", "fails to import: SyntaxError"),
    "exits on import": ("import sys; sys.exit('bye')", "fails to import: SystemExit: bye"),
    "raises beyond Exception": (
        "class Odd(BaseException): pass\nraise Odd('skip')",
        "fails to import: Odd: skip",
    ),
    "has a misspelt hook": (
        SPEC.replace("hpo_strategies", "hpo_stratgies"),
        "hpo_stratgies",
    ),
    "has a hook of a wrong signature": (
        SPEC.replace("hpo_strategies()", "hpo_strategies(space)"),
        "space",
    ),
    "has a hook that raises": (SPEC.replace("RETURNED", "1 / 0"), "ZeroDivisionError"),
    "has a hook that exits": (SPEC.replace("RETURNED", "exit('bye')"), "SystemExit: bye"),
    "returns no list": (SPEC.replace("RETURNED", "5"), "failed in hpo_strategies: TypeError"),
    "returns rubbish": (SPEC.replace("RETURNED", "['abc']"), "'abc' from hpo_strategies, not a"),
    "takes another's name": (
        SPEC.replace("RETURNED", "[StrategySpec(name='random', summary='', build=print)]"),
        "its name must be 'broken' or begin with 'broken:'",
    ),
    "has a spec without a name": (
        SPEC.replace("RETURNED", "[StrategySpec(name=None, summary='', build=print)]"),
        "name and summary must be texts",
    ),
    "has options of another kind": (
        SPEC.replace(
            "RETURNED", "[StrategySpec(name='NAME', summary='', build=print, options={})]"
        ),
        "options must be a msgspec.Struct class",
    ),
    "has nothing to build": (
        SPEC.replace("RETURNED", "[StrategySpec(name='NAME', summary='', build=3)]"),
        "build must be a function",
    ),
    "has capabilities of another kind": (
        SPEC.replace(
            "RETURNED",
            "[StrategySpec(name='NAME', summary='', build=print, capabilities=['integers'])]",
        ),
        "capabilities must be a frozenset",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_an_error_with_its_reason_for_who_uses_it_alone(
    publish: Publish, source: str, reason: str
) -> None:
    """FACTS: one broken plugin broke all."""
    publish("broken", source)
    publish("count", GOOD)
    with pytest.raises(BrokenPlugin) as caught:
        registry.strategy("broken")
    assert "'broken'" in str(caught.value) or "broken (hpo-broken 1.0)" in str(caught.value)
    assert reason in str(caught.value)

    assert registry.strategy("count").spec.name == "count"
    found = {one.plugin.name: one for one in registry.describe()}
    assert found["count"].failure is None
    assert reason in str(found["broken"].failure)


def test_a_misspelt_hook_lists_the_hooks(publish: Publish) -> None:
    publish("broken", SPEC.replace("hpo_strategies", "hpo_stratgies"))
    with pytest.raises(
        BrokenPlugin,
        match="the hooks are hpo_strategies, hpo_backends, hpo_works, hpo_observers, ",
    ):
        registry.strategy("broken")


def test_two_specs_of_one_name_are_an_error(publish: Publish) -> None:
    """FACTS: classes with one name overwrote each other silently."""
    one = "StrategySpec(name='NAME', summary='', build=print)"
    publish("twice", SPEC.replace("RETURNED", f"[{one}, {one}]"))
    with pytest.raises(DuplicatePlugin, match="two specs with the same name: twice, twice"):
        registry.strategy("twice")


def test_two_distributions_with_one_name_are_an_error_that_shows_both(publish: Publish) -> None:
    publish("same", GOOD, distribution="acme-same")
    publish("same", GOOD, distribution="zeta-same")
    with pytest.raises(DuplicatePlugin, match=r"acme-same 1.0 and zeta-same 1.0; uninstall one"):
        registry.strategy("same")


def test_distribution_without_metadata_is_ignored(
    publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("count", GOOD)
    remains = tmp_path / "remains" / "half_gone-1.0.dist-info"
    remains.mkdir(parents=True)
    (remains / "entry_points.txt").write_text("[hpo_core]\nhalf = nothing\n")
    monkeypatch.syspath_prepend(remains.parent)
    assert registry.strategy("count").spec.name == "count"
    assert described("half").failure


def test_an_observers_hook_that_raises_names_the_plugin(publish: Publish) -> None:
    publish("notes", SPEC.replace("strategies()", "observers(config)").replace("RETURNED", "1 / 0"))
    with pytest.raises(BrokenPlugin, match="the plugin 'notes' failed in hpo_observers"):
        registry.observers("notes", {}, ObservedStudy(name="s", config={}))


def test_a_strategy_that_can_not_be_built_is_an_error_with_its_name(publish: Publish) -> None:
    publish("count", GOOD.replace("self._next = options.first", "raise OSError('no licence')"))
    optimizer = HyperParameterOptimizer(study("count"), function=float)
    with optimizer, pytest.raises(StrategyError, match=r"'count' could not be built: .*no licence"):
        optimizer.run()


def test_strategy_that_fails_to_count_its_jobs_is_an_error_with_its_name(publish: Publish) -> None:
    counts = "options=Options, jobs_to_complete=lambda problem, options: 1 // 0,"
    publish("count", GOOD.replace("options=Options,", counts))
    limits = {"job": JobSettings(function="math:sqrt", max_iterations=9)}
    optimizer = HyperParameterOptimizer(study("count", **limits), function=float)
    with optimizer, pytest.raises(StrategyError, match=r"'count' could not say .*ZeroDivision"):
        optimizer.run()


# -- plugins that misbehave where they are listed ----------------------------------------------


def test_plugin_that_hangs_on_import_blocks_nothing(publish: Publish) -> None:
    publish("hangs", "import threading; threading.Event().wait()")
    publish("count", GOOD)
    found = {one.plugin.name: one for one in registry.describe(patience=3)}
    assert found["hangs"].failure == "takes longer than 3 s to import"
    assert found["count"].failure is None


def test_a_plugin_that_crashes_the_interpreter_is_listed_with_how_it_ended(
    publish: Publish,
) -> None:
    publish("crashes", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    publish("quits", "import os; os.write(2, b'no licence'); os._exit(3)")
    assert described("crashes").failure == "ends the interpreter that imports it (signal 9)"
    assert described("quits").failure == (
        "ends the interpreter that imports it (exit status 3): no licence"
    )


def test_what_a_plugin_prints_is_told_and_kept_apart(
    publish: Publish, capfd: pytest.CaptureFixture[str]
) -> None:
    publish("chatty", "import os; print('hello'); os.write(1, b'there')\n" + textwrap.dedent(GOOD))
    found = described("chatty")
    assert found.failure is None
    assert {"hello", "there"} == set(found.printed.replace("there", " there ").split())
    assert capfd.readouterr() == ("", "")


def test_a_plugin_that_prints_when_it_is_used_leaves_standard_output_alone(
    publish: Publish, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    publish("chatty", "print('hello')\n" + textwrap.dedent(GOOD))
    assert registry.strategy("chatty").spec.name == "chatty"
    assert capfd.readouterr().out == ""
    assert "the plugin chatty (hpo-chatty 1.0) printed while it was loaded: hello" in caplog.text


def test_ctrl_c_while_a_plugin_is_imported_is_ctrl_c(publish: Publish) -> None:
    publish("pressed", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.strategy("pressed")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module", "No module named 'no_such_module'"),
        ("MODULE:no_such_name", "no_such_name"),
        ("two words", "fails to import"),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_an_error_with_its_reason(
    publish: Publish, value: str, reason: str
) -> None:
    publish("astray", GOOD, entries=f"[hpo_core]\nastray = {value}\n")
    publish("count", GOOD)
    with pytest.raises(BrokenPlugin, match=reason):
        registry.strategy("astray")
    assert reason in str(described("astray").failure)
    assert registry.strategy("count").spec.name == "count"


@pytest.mark.parametrize("content", [b"[hpo_core]\nno value\n", b"[hpo_core]\n\xff = \xfe\n"])
def test_unreadable_entry_points_are_ignored(
    publish: Publish, tmp_path: Path, content: bytes
) -> None:
    publish("count", GOOD)
    publish("torn", GOOD)
    (tmp_path / "hpo-torn-1.0" / "hpo_torn-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    assert registry.strategy("count").spec.name == "count"
    assert "hpo-torn 1.0 can't be read" in str(described("hpo-torn").failure)


def test_entry_points_of_others_that_cannot_be_read_are_not_shown(publish: Publish) -> None:
    publish("other", GOOD, entries="[console_scripts]\nno value\n")
    assert "hpo-other" not in [found.plugin.name for found in registry.describe()]


# -- versions ----------------------------------------------------------------------------------


def test_a_plugin_of_a_newer_contract_is_refused_by_name_and_not_imported(
    publish: Publish,
) -> None:
    module = publish("ahead", "raise SystemExit", entries="[hpo_core.v7]\nahead = MODULE\n")
    with pytest.raises(BrokenPlugin) as caught:
        registry.strategy("ahead")
    assert str(caught.value) == (
        "the plugin ahead (hpo-ahead 1.0) supports version 7 of the contracts, and this hpo-core "
        "supports 1: install a newer hpo-core, or another version of hpo-ahead"
    )
    assert described("ahead").failure == str(caught.value)
    assert module not in sys.modules


def test_a_plugin_of_two_contracts_is_loaded_by_the_one_that_is_spoken(publish: Publish) -> None:
    publish("both", GOOD, entries="[hpo_core.v7]\nboth = not_yet\n[hpo_core]\nboth = MODULE\n")
    found = registry.strategy("both")
    assert (found.spec.name, found.plugin.contract) == ("both", 1)


def test_a_group_that_only_resembles_is_not_ours(publish: Publish) -> None:
    publish("near", GOOD, entries="[hpo_core.v0]\nnear = MODULE\n[hpo_core_extras]\nn = MODULE\n")
    assert "near" not in [identity.name for identity in registry.installed()]


def test_resuming_under_another_version_warns_and_says_which(
    publish: Publish, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish("count", GOOD)
    store = tmp_path / "hpo.db"

    def open_and_close() -> None:
        HyperParameterOptimizer(study("count"), store=store, function=float).close()

    open_and_close()
    open_and_close()
    assert caplog.text == ""
    publish("count", GOOD, version="1.1")  # first on the path, as an upgrade
    open_and_close()
    assert (
        "the strategy 'count' was hpo-count 1.0 when the study began, and is now hpo-count 1.1; "
        "its suggestions may differ"
    ) in caplog.text


def test_a_change_of_the_contract_is_told_too(publish: Publish) -> None:
    publish("count", GOOD)
    prepared = prepare(study("count"))
    stored = prepared.identities()
    stored["strategy"]["contract"] = 2
    (sentence,) = prepared.changed_since(stored)
    assert (
        "was hpo-count 1.0 (contract 2) when the study began, and is now hpo-count 1.0 (contr"
        in (sentence)
    )


def test_a_study_stored_before_contracts_were_stored_speaks_the_first(publish: Publish) -> None:
    publish("count", GOOD)
    prepared = prepare(study("count"))
    stored = prepared.identities()
    for identity in stored.values():
        del identity["contract"]
    assert prepared.changed_since(stored) == []


# -- options and capabilities ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "path", "message"),
    [
        ({"frist": 2}, "strategy.options.frist", "unknown key; did you mean 'first'?"),
        ({"zzz": 2}, "strategy.options.zzz", "unknown key; known: first, mode"),
        ({"first": "two"}, "strategy.options.first", "expected an integer, got 'two'"),
        ({"first": 2.5}, "strategy.options.first", "expected an integer, got 2.5"),
        ({"mode": 1}, "strategy.options.mode", "expected text, got 1"),
    ],
)
def test_unfit_options_are_faults_before_the_first_job(
    publish: Publish, options: dict[str, Any], path: str, message: str
) -> None:
    """FACTS: misspelt options were swallowed by `**_`."""
    publish("count", GOOD)
    with pytest.raises(InvalidInput) as caught:
        HyperParameterOptimizer(study("count", options), function=float)
    assert [(fault.path, fault.message) for fault in caught.value.faults] == [(path, message)]


def test_every_unfit_option_is_found_at_once(publish: Publish) -> None:
    publish("count", GOOD)
    resolved = registry.strategy("count")
    _, faults = registry.options(resolved, {"first": "two", "mod": "up"}, "strategy.options")
    assert {fault.path for fault in faults} == {"strategy.options.first", "strategy.options.mod"}


def test_options_that_are_left_out_are_stored_with_their_defaults(publish: Publish) -> None:
    publish("count", GOOD)
    with HyperParameterOptimizer(study("count"), function=float) as optimizer:
        assert optimizer.config.strategy.options == {"first": 1, "mode": "up"}


OVER = """
    import msgspec
    from hpo_core.plugin import StrategyChoice, StrategySpec, build_strategy, hookimpl

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        searcher: StrategyChoice = StrategyChoice("count")

    class Over:
        def __init__(self, problem, options):
            built = build_strategy(options.searcher, problem)
            self.capabilities = built.capabilities
            for method in ("ask", "adopt", "tell", "save_state", "restore"):
                setattr(self, method, getattr(built.strategy, method))

    @hookimpl
    def hpo_strategies():
        from hpo_core.plugin import Capability
        return [StrategySpec(name="NAME", summary="As another one", build=Over, options=Options,
                             capabilities=frozenset(Capability))]
"""


@pytest.mark.parametrize(
    ("searcher", "stored", "first"),
    [
        ({}, {"first": 1, "mode": "up"}, 1),
        ({"searcher": "count"}, {"first": 1, "mode": "up"}, 1),
        (
            {"searcher": {"name": "count", "options": {"first": 2}}},
            {"first": 2, "mode": "up"},
            2,
        ),
    ],
)
def test_a_strategy_composed_with_another_names_it_in_its_options(
    publish: Publish, searcher: dict[str, Any], stored: dict[str, Any], first: int
) -> None:
    publish("count", GOOD, version="1.4")
    publish("over", OVER)
    with HyperParameterOptimizer(study("over", searcher), function=float_of_x) as optimizer:
        assert optimizer.config.strategy.options == {
            "searcher": {"name": "count", "options": stored}
        }
        result = optimizer.run()
    assert [trial.configuration["x"] for trial in result.trials] == list(range(first, 4))
    identity = prepare(study("over", searcher)).identities()["strategy.searcher"]
    assert (identity["distribution"], identity["version"]) == ("hpo-count", "1.4")


def float_of_x(configuration: Mapping[str, Any]) -> float:
    return float(configuration["x"])


def test_the_options_of_an_inner_strategy_are_checked_like_any_others(publish: Publish) -> None:
    publish("count", GOOD)
    publish("over", OVER)
    options = {"searcher": {"name": "count", "options": {"frist": 2, "mode": 1}}}
    with pytest.raises(InvalidInput) as caught:
        HyperParameterOptimizer(study("over", options), function=float)
    assert {fault.path for fault in caught.value.faults} == {
        "strategy.options.searcher.options.frist",
        "strategy.options.searcher.options.mode",
    }
    with pytest.raises(UnknownPlugin, match=r"no strategy 'coutn' is installed.*mean 'count'"):
        HyperParameterOptimizer(study("over", {"searcher": "coutn"}), function=float)


def test_what_an_inner_strategy_lacks_is_an_error_that_names_it(publish: Publish) -> None:
    publish("count", GOOD)
    publish("over", OVER)
    both = (Objective("loss", "minimize"), Objective("seconds", "minimize"))
    with (
        HyperParameterOptimizer(study("over", objectives=both), function=float) as optimizer,
        pytest.raises(Unsupported, match="several objectives, which the searcher 'count' does not"),
    ):
        optimizer.run()


def test_resuming_under_another_version_of_an_inner_strategy_warns(publish: Publish) -> None:
    publish("count", GOOD)
    publish("over", OVER)
    prepared = prepare(study("over"))
    stored = prepared.identities()
    stored["strategy.searcher"]["version"] = "0.9"
    (sentence,) = prepared.changed_since(stored)
    assert sentence.startswith("the strategy's searcher 'count' was hpo-count 0.9 when")


def test_what_a_strategy_lacks_is_an_error_that_names_those_that_have_it(publish: Publish) -> None:
    publish("count", GOOD)
    publish("broken", "raise RuntimeError")
    both = (Objective("loss", "minimize"), Objective("seconds", "minimize"))
    with pytest.raises(Unsupported) as caught:
        HyperParameterOptimizer(study("count", objectives=both), function=float)
    said = str(caught.value)
    assert "needs several objectives, which the strategy 'count' does not support" in said
    assert "random" in said.partition("installed strategies that do: ")[2].split(", ")


NEEDS = {
    "conditional parameters": {
        "space": SearchSpace((Int("x", 1, 3), Float("y", 0.0, 1.0, when={"x": 1})))
    },
    "forbidden combinations": {"space": SearchSpace((Int("x", 1, 3),), ({"x": 2},))},
    "integers": {"space": SearchSpace((Int("x", 1, 3),))},
    "categoricals": {"space": SearchSpace((Categorical("x", ("a", "b")),))},
    "several objectives": {
        "objectives": (Objective("loss", "minimize"), Objective("seconds", "minimize"))
    },
}


@pytest.mark.parametrize(("need", "changes"), NEEDS.items(), ids=NEEDS.keys())
def test_each_need_of_a_study_is_checked_before_the_first_job(
    publish: Publish, need: str, changes: dict[str, Any]
) -> None:
    publish("none", GOOD.replace("frozenset({Capability.INTEGERS})", "frozenset()"))
    with pytest.raises(Unsupported, match=f"{need}.*, which the strategy 'none' does not support"):
        HyperParameterOptimizer(study("none", **changes), function=float)


class Given(BaseStrategy):
    """A strategy given as an instance."""

    def ask(self, trial_id: int, /) -> Exhausted:
        return Exhausted()


def test_an_instance_that_says_nothing_of_its_capabilities_may_do_anything() -> None:
    HyperParameterOptimizer(study(""), strategy=Given(), function=float).close()


def test_an_instance_that_says_what_it_can_is_taken_at_its_word() -> None:
    strategy = Given()
    strategy.capabilities = frozenset({Capability.CATEGORICALS})  # type: ignore[attr-defined]
    with pytest.raises(Unsupported, match="needs integers, which the strategy 'instance of"):
        HyperParameterOptimizer(study(""), strategy=strategy, function=float)


@pytest.mark.parametrize("said", ["integers", ["integers"], {"integers"}])
def test_invalid_capabilities_of_an_instance_are_an_error(said: object) -> None:
    strategy = Given()
    strategy.capabilities = said  # type: ignore[attr-defined]
    with pytest.raises(StrategyError, match=r"must be a frozenset of hpo_core\.plugin\.Capability"):
        HyperParameterOptimizer(study(""), strategy=strategy, function=float)


def test_instance_without_the_methods_of_a_strategy_is_an_error() -> None:
    with pytest.raises(StrategyError, match="has no ask, adopt, tell, save_state, restore; derive"):
        HyperParameterOptimizer(study(""), strategy=object(), function=float)  # type: ignore[arg-type]


def test_what_a_built_strategy_says_of_itself_stands_above_its_spec(publish: Publish) -> None:
    publish("count", GOOD.replace("self._next =", "self.capabilities = frozenset(); self._next ="))
    optimizer = HyperParameterOptimizer(study("count"), function=float)
    with optimizer, pytest.raises(Unsupported, match="integers, which the strategy 'count' does"):
        optimizer.run()


def test_built_object_without_the_methods_of_a_strategy_is_an_error(publish: Publish) -> None:
    publish("count", GOOD.replace("build=Counting", "build=lambda problem, options: 'rubbish'"))
    optimizer = HyperParameterOptimizer(study("count"), function=float)
    with optimizer, pytest.raises(StrategyError, match="is 'rubbish', which has no ask"):
        optimizer.run()


# -- the end -----------------------------------------------------------------------------------


class Closing(Given):
    """Notes when it is closed, and may fail in it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.closed = 0
        self._error = error

    def close(self) -> None:
        self.closed += 1
        if self._error is not None:
            raise self._error


class ClosingWhatBreaks(Closing):
    def ask(self, trial_id: int, /) -> Exhausted:
        raise RuntimeError("broken")


def test_a_strategy_is_closed_once_when_its_session_is_over() -> None:
    strategy = Closing()
    with HyperParameterOptimizer(study(""), strategy=strategy, function=float) as optimizer:
        optimizer.run()
        assert strategy.closed == 1
    assert strategy.closed == 1


def test_a_strategy_is_closed_when_the_study_fails() -> None:
    strategy = ClosingWhatBreaks()
    optimizer = HyperParameterOptimizer(study(""), strategy=strategy, function=float)
    with optimizer, pytest.raises(StudyFailed, match="broken"):
        optimizer.run()
    assert strategy.closed == 1


def test_a_strategy_that_fails_to_close_does_not_fail_the_study(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strategy = Closing(RuntimeError("stuck"))
    with HyperParameterOptimizer(study(""), strategy=strategy, function=float) as optimizer:
        assert optimizer.run().state is StudyState.FINISHED
    assert "raised RuntimeError in close: stuck" in caplog.text
