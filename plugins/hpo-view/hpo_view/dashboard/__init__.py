"""The dashboard: the studies of a store in a browser on this machine, live.

command   ``hpo dashboard``
server    the pages, their requests, and the stream of events
security  authorization of requests: token, Host and Origin
changes   detects changes of the store by notifications of the file system
content   the content of pages, computed once for each version of the store
actions   stop, enqueue, extend, delete
vector    figures without WebGL, which would need a weaker security policy
"""
