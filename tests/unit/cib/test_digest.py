"""Digests of operation parameters, as Pacemaker 2.1.5 writes them."""

from hatools.cib.digest import filter_for_digest, only, operation_digest, without


def test_no_parameters_have_the_known_digest() -> None:
    assert operation_digest({}) == "f2317cad3d54cec5d7d7aa7d0bf35cf8"


def test_the_timeout_of_a_recurring_operation_counts() -> None:
    given = {"CRM_meta_interval": "10000", "CRM_meta_timeout": "20000", "CRM_meta_name": "monitor"}
    assert operation_digest(filter_for_digest(given)) == "4811cef7f7f94e3a35a70be7916cb2fd"


def test_the_timeout_of_a_single_operation_does_not() -> None:
    assert filter_for_digest({"CRM_meta_timeout": "20000", "id": "r", "ip": "1.2.3.4"}) == {"ip": "1.2.3.4"}


def test_the_order_of_parameters_does_not_matter() -> None:
    assert operation_digest({"a": "1", "b": "2"}) == operation_digest({"b": "2", "a": "1"})


def test_values_are_escaped_as_in_xml() -> None:
    assert operation_digest({"a": "<&>"}) != operation_digest({"a": "&lt;&amp;&gt;"})


def test_parameters_are_left_out_or_kept_by_name() -> None:
    given = {"a": "1", "b": "2", "c": "3"}
    assert without(given, " a  c ") == {"b": "2"}
    assert without(given, None) == given
    assert only(given, ("c", "x")) == {"c": "3"}
