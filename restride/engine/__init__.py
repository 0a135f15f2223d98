"""The engine: graphs, order, scheduler, workers, store and clients. It knows nothing of arrays or frames."""
