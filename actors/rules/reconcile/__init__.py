"""The engine of Reconciler: agreement with venues."""
