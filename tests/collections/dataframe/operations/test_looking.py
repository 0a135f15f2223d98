import pandas as pd

import restride.dataframe as rd
from restride.collections.dataframe.operations.looking import LEAST_TASKS, task_count


def test_many_small_partitions_are_shuffled_among_few_tasks():
    df = rd.from_pandas(pd.DataFrame({"k": range(1000), "v": 1}), npartitions=500)
    assert task_count(df.expr) == LEAST_TASKS
    for made in (df.groupby("k").v.cumsum(), df.merge(df, on="k", broadcast=False), df.k.rank()):
        # A task or two a partition, and no piece for each pair of partitions.
        assert sum(layer.inputs for layer in made.explain().layers) < 60 * 500


def test_rows_that_are_not_counted_may_be_many():
    df = rd.from_map(lambda i: pd.DataFrame({"k": [i]}), range(300), meta=pd.DataFrame({"k": [0]}))
    assert task_count(df.expr) == 300
