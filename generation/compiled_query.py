"""Queries of the ORM whose statement is built once in a process.

The ORM builds the statement again for each run. The few queries of every picture and of every poll
are compiled once, with parameters.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Expression, Field, QuerySet


class Parameter(Expression):
    """Stands in a compiled query for a value that each run gives, of the type of `field`."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)


class CompiledQuery:
    """A query set that is compiled at its first run; later runs only send other values."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        self.queryset = queryset

    @cached_property
    def compiled(self) -> tuple[Any, str, tuple[Any, ...]]:
        """The compiler, which converts rows, the statement, and its parameters."""
        compiler = self.queryset.query.get_compiler(connection=connection)
        return compiler, *compiler.as_sql()

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows as `values_list` returns them."""
        compiler, statement, parameters = self.compiled
        prepared = [
            each.output_field.get_db_prep_value(values[each.name], connection)
            if isinstance(each, Parameter)
            else each
            for each in parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement, prepared)
            return list(compiler.results_iter([cursor.fetchall()], tuple_expected=True))

    def objects(self, **values: Any) -> list[Any]:
        """The rows as instances; the query set selects all columns of its model and no others."""
        model = self.queryset.model
        names = [column.attname for column in model._meta.concrete_fields]
        return [model.from_db(connection.alias, names, row) for row in self.rows(**values)]
