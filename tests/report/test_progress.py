from cilsim.report.progress import TrainingProgress


def epoch(number: int, of: int = 10) -> dict[str, float]:
    return {"train/epoch": number, "train/epochs": of}


def test_the_line_has_epoch_loss_rate_speed_and_time_left():
    values = {**epoch(1), "train/loss": 0.4123, "train/lr": 0.05, "train/images_per_s": 1234.4}
    line = TrainingProgress(started=100.0).describe(values, now=102.0)
    assert line == "epoch 1/10  loss 0.412  lr 0.05  1234 images/s  18.0 s left"


def test_bare_names_count_as_training_scalars():
    line = TrainingProgress(started=0.0).describe({"loss": 2.0, "epoch": 5, "epochs": 9}, now=1.0)
    assert line == "epoch 5/9  loss 2.000"


def test_epochs_are_counted_where_nobody_says_them():
    progress = TrainingProgress(started=0.0)
    assert [progress.describe({}, now) for now in (1.0, 2.0)] == ["epoch 1", "epoch 2"]


def test_the_pace_is_the_mean_over_all_epochs():
    progress = TrainingProgress(started=0.0)
    progress.describe(epoch(1), now=1.0)
    assert progress.describe(epoch(2), now=6.0) == "epoch 2/10  24.0 s left"


def test_a_training_that_goes_on_in_the_middle_is_timed_from_there():
    progress = TrainingProgress(started=0.0)
    lines = [progress.describe(epoch(number), now=float(number)) for number in (6, 7)]
    assert lines == ["epoch 6/10", "epoch 7/10  3.0 s left"]


def test_a_second_training_is_timed_anew():
    progress = TrainingProgress(started=0.0)
    progress.describe(epoch(1, of=1), now=50.0)
    lines = [progress.describe(epoch(number), now=50.0 + number) for number in (1, 2)]
    assert lines == ["epoch 1/10", "epoch 2/10  8.0 s left"]
