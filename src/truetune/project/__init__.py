"""A project: a folder with `truetune.yaml`, its data, its `evals/`, its `runs/`.

`yaml_file` reads a file into a model or says everything that is wrong with it, `problems` finds the words, `project`
knows where things lie and which run is meant, `schema` lets editors complete the files.
"""
