"""Subjects: what a study is given, by name."""

from __future__ import annotations

import pytest

import riemopt as ro
from riemopt.errors import ArgumentError
from riemopt.experiments import Subject
from riemopt.experiments.subject import subjects_of

SAMPLES = [0.5, 0.2, 0.1]


def subject(**settings):
    return Subject.of(ro.models.Exponential(), SAMPLES, start=[1.0], backend="numpy", **settings)


def test_a_subject_has_its_own_chart_first_and_the_control_last():
    made = subject(time=2, name="mine")
    assert (made.name, made.time, list(made.places)) == ("mine", 2.0, ["rate"])
    assert made.own is made.places["rate"] and made.every_place == [made.own, made.control]


def test_subjects_have_names_of_their_own():
    assert list(subjects_of([subject(), subject(name="again")])) == ["Exponential", "again"]
    with pytest.raises(ArgumentError, match="two subjects are called 'Exponential'"):
        subjects_of([subject(), subject()])
    with pytest.raises(ArgumentError, match="there are no subjects"):
        subjects_of([])


def test_a_model_needs_samples_a_start_and_a_positive_time():
    with pytest.raises(ArgumentError, match="needs a start"):
        subjects_of(ro.models.Exponential(), SAMPLES)
    with pytest.raises(ArgumentError, match="Exponential needs samples"):
        Subject.of(ro.models.Exponential(), start=[1.0])
    with pytest.raises(ArgumentError, match="time must be positive and finite"):
        subject(time=0.0)
