"""What runs the platform on Kubernetes: `manager`, `guard`, `keys` and `try`, each a command of the tools image.

The Redis manager's parts: `observe` asks the pods and gives an `Observed`; `plan.next_step` is a pure function of it and of
the `Wanted` shape; `apply` does the step; `manager` is the loop. The guard shares all of them.
"""
