r"""What runs inside Redis: one timeline is one sorted set, read and changed by these scripts alone.

All members have the score 0, so that they are in the order of their bytes. The first is the head; each other
one is an entry, one for each activity: the byte 1, its sort key and what brought it (see `members`).

The head of a timeline holds

- the replication id of the node that it was written on. A node that becomes a master or is started again has
  another one, and so has a node to which the slot was moved: what is there may lack the last writes, and is
  a miss;
- the number that had been drawn before the timeline was computed: what comes with that number or a lower one
  is in it already;
- the highest numbers of an addition and of a removal that it took. Where an addition and a removal come in
  another order than their numbers, they may be of the same activity: the timeline goes;
- whether it holds everything, and how many entries it holds at most.

While somebody computes the timeline, the head holds their token. Whatever is changed meanwhile deletes it, so
that they do not store what was true before.
"""

from __future__ import annotations

_HEAD = r"""
local key = KEYS[1]
local head = redis.call('ZRANGE', key, 0, 0)[1]
if head and string.byte(head) ~= 0 then head = nil end
local node, floor, added, removed, whole, most
if head then
  node, floor, added, removed, whole, most = string.match(
    head, '^%zb|(%x+)|(%d+)|(%d+)|(%d+)|(%d)|(%d+)$')
end
local function this_node()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end
"""

PAGE = (
    _HEAD
    + r"""
local token, newest, oldest, below, offset, limit, idle = unpack(ARGV)
local here = this_node()
if node == here then
  local found = redis.call('ZREVRANGEBYLEX', key, newest, oldest, 'LIMIT', offset, limit)
  local is_all = whole == '1' or #found == tonumber(limit)
  if is_all or below ~= '' and redis.call('ZLEXCOUNT', key, '[\1', below) > 0 then
    redis.call('EXPIRE', key, idle)
    return {'page', table.concat(found)}
  end
  if (redis.call('ZCARD', key) - 1) * 2 > tonumber(most) then return {'beyond', ''} end
end
redis.call('DEL', key)
redis.call('ZADD', key, 0, '\0f|' .. here .. '|' .. token)
redis.call('EXPIRE', key, 60)
return {'miss', ''}
"""
)
"""Token, both bounds, what lies below the lower one, offset, limit, seconds until it is forgotten.

Entries are one text: a client takes longer to read a list than the node to find it.
"""

HELD = (
    _HEAD
    + r"""
if node ~= this_node() then return {'miss', ''} end
return {whole == '1' and 'whole' or 'newest', table.concat(redis.call('ZREVRANGEBYLEX', key, '(\2', '[\1'))}
"""
)
"""Everything that is there, newest first."""

FILL = (
    _HEAD
    + r"""
local token, drawn, most, is_whole, idle = unpack(ARGV, 1, 5)
local here = this_node()
if head ~= '\0f|' .. here .. '|' .. token then return 0 end
redis.call('DEL', key)
redis.call('ZADD', key, 0, '\0b|' .. here .. '|' .. drawn .. '|0|0|' .. is_whole .. '|' .. most)
for first = 6, #ARGV, 1000 do
  local some = {}
  for place = first, math.min(first + 999, #ARGV) do
    some[#some + 1] = 0
    some[#some + 1] = ARGV[place]
  end
  redis.call('ZADD', key, unpack(some))
end
redis.call('EXPIRE', key, idle)
return 1
"""
)
"""Token, the last number drawn, most entries, whether that is everything, seconds, and the entries."""

_CHANGE = (
    _HEAD
    + r"""
if not head then return 0 end
local drawn = tonumber(ARGV[1])
if node and drawn <= tonumber(floor) then return 0 end
local function forget()
  redis.call('DEL', key)
  return 0
end
if not node or drawn < tonumber(removed) then return forget() end
local function note(is_addition)
  if is_addition then added = ARGV[1] else removed = ARGV[1] end
  redis.call('ZREM', key, head)
  head = '\0b|' .. node .. '|' .. floor .. '|' .. added .. '|' .. removed .. '|' .. whole .. '|' .. most
  redis.call('ZADD', key, 0, head)
end
-- Below what a full timeline holds there may be others that it does not hold.
local function is_held(activity)
  return whole == '1' or redis.call('ZLEXCOUNT', key, '[\1', '(' .. activity .. '\255') > 0
end
"""
)

ADD = (
    _CHANGE
    + r"""
for place = 2, #ARGV do
  local activity = string.sub(ARGV[place], 1, 17)
  if is_held(activity) then
    redis.call('ZADD', key, 0, ARGV[place])
    local ways = redis.call('ZRANGEBYLEX', key, '[' .. activity, '(' .. activity .. '\255')
    if #ways > 1 then redis.call('ZREM', key, unpack(ways, 2)) end
  end
end
local over = redis.call('ZCARD', key) - 1 - tonumber(most)
if over > 0 then
  redis.call('ZREMRANGEBYRANK', key, 1, over)
  whole = '0'
end
if over > 0 or drawn > tonumber(added) then
  if drawn < tonumber(added) then ARGV[1] = added end
  note(true)
end
return 1
"""
)
"""A number, and entries."""

REMOVE = (
    _CHANGE
    + r"""
if drawn < tonumber(added) then return forget() end
for place = 2, #ARGV, 2 do
  local activity, instead = ARGV[place], ARGV[place + 1]
  local held = is_held(activity)
  redis.call('ZREMRANGEBYLEX', key, '[' .. activity, '(' .. activity .. '\255')
  if instead ~= '' and held then redis.call('ZADD', key, 0, instead) end
end
note(false)
return 1
"""
)
"""A number, and pairs of an entry without what brought it and of the entry that stays, or nothing."""

DROP = "return redis.call('DEL', KEYS[1])"
