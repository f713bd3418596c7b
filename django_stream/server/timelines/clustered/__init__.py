"""Flat timelines on a Redis or Valkey Cluster, computed from the record whenever they are not there."""
