from pathlib import Path

from cilsim.report.final_table import closing_lines, final_table


def test_one_seed_is_a_table_without_intervals(make_result):
    assert (
        final_table([make_result()])
        == """\
teen: 1 seed (0), so no interval; in percent
experience   classes   all  base  novel  harmonic  forgetting    kept    time
0 base             2  90.0  90.0      -         -           -  1.5 kB    1:02
1 session 1        3  77.0  80.0   70.0      74.6        10.0  1.8 kB  31.5 s
2 session 2        4  56.0  50.0   62.5      55.5        25.0  2.0 kB  21.5 s"""
    )


def test_seeds_are_averaged_and_strategies_compared(make_result):
    results = [make_result("teen", seed, shift=0.001 * seed) for seed in (0, 1, 2)]
    table = final_table([*results, make_result("nmc", 5)])
    assert (
        table
        == """\
teen: mean ± 95 % interval over 3 seeds (0, 1, 2); in percent
experience   classes         all        base       novel    harmonic  forgetting    kept    time
0 base             2  90.1 ± 0.2  90.1 ± 0.2           -           -           -  1.5 kB    1:02
1 session 1        3  77.1 ± 0.2  80.1 ± 0.2  70.1 ± 0.2  74.7 ± 0.2  10.1 ± 0.2  1.8 kB  31.5 s
2 session 2        4  56.1 ± 0.2  50.1 ± 0.2  62.6 ± 0.2  55.6 ± 0.2  25.1 ± 0.2  2.0 kB  21.5 s

nmc: 1 seed (5), so no interval; in percent
experience   classes   all  base  novel  harmonic  forgetting    kept    time
0 base             2  90.0  90.0      -         -           -  1.5 kB    1:02
1 session 1        3  77.0  80.0   70.0      74.6        10.0  1.8 kB  31.5 s
2 session 2        4  56.0  50.0   62.5      55.5        25.0  2.0 kB  21.5 s

after the last experience, in percent
strategy  n         all        base       novel    harmonic  forgetting    kept  time per run
teen      3  56.1 ± 0.2  50.1 ± 0.2  62.6 ± 0.2  55.6 ± 0.2  25.1 ± 0.2  2.0 kB          1:54
nmc       1        56.0        50.0        62.5        55.5        25.0  2.0 kB          1:54"""
    )


def test_two_seeds_are_said_to_be_few(make_result):
    table = final_table([make_result(seed=0), make_result(seed=1)])
    assert table.splitlines()[0] == (
        "teen: mean ± 95 % interval over 2 seeds (0, 1); n < 3, so the interval says little; "
        "in percent"
    )


def test_an_ascii_terminal_gets_ascii_in_straight_columns(make_result):
    lines = final_table([make_result("naïve", seed) for seed in (0, 1, 2)], "ascii").splitlines()
    assert lines[0].startswith("na?ve: mean +/- 95 %")
    assert len({len(line) for line in lines[1:]}) == 1


def test_closing_lines_say_where_to_look():
    assert (
        closing_lines(Path("my runs/rings"))
        == """\
results:     my runs/rings
report:      my runs/rings/report.html
tensorboard: tensorboard --logdir 'my runs'"""
    )
