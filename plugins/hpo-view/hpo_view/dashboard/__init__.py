"""The dashboard: the studies of a store in a browser, live, on this machine alone.

command   ``hpo dashboard``
server    the pages, what they ask for, and the events that they listen to
security  who may ask: token, Host and Origin
changes   when the store has changed: notifications of the file system
content   what pages ask for, made once for each state of the store
actions   stop, enqueue, extend, delete
vector    figures without WebGL, which would need a laxer policy
"""
