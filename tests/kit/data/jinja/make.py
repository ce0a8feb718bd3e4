#!/usr/bin/env python3
"""Small templates with what transformers' environment (Jinja2 in its immutable sandbox) makes of them.

    python make.py > cases.json

A case: template, what it renders to ("expect"), or the class of the exception ("error"). The variables
that all of them see are VALUES; strftime_now sees NOW.
"""
import datetime, json, os, sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import transformers.utils.chat_template_utils as ctu

NOW = datetime.datetime(2026, 7, 26, 9, 5, 3)


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return NOW


ctu.datetime = Clock

VALUES = {
    "s": "Hello, Wörld", "html": "<b>\"R&D\"</b> 'x'", "empty": "", "n": 42, "neg": -7, "f": 2.5, "t": True, "no": None,
    "words": ["delta", "Alpha", "charlie", "Bravo", "alpha"], "nums": [3, 1, 2, 3], "mixed": [1, "a", None, 2.0, True, [1], {"k": "v"}],
    "d": {"b": 1, "a": {"x": [1, 2, {"y": "z"}]}, "C": None, "items": "shadow", "get": 7},
    "people": [{"name": "Ann", "age": 30, "tags": ["x", "y"]}, {"name": "bob", "age": 25, "tags": []}, {"name": "Cy", "age": 30}],
    "tree": [{"v": 1, "kids": [{"v": 2, "kids": [{"v": 3, "kids": []}]}, {"v": 4, "kids": []}]}, {"v": 5, "kids": []}],
    "floats": [1.0, 1e16, 1e15, 1e-4, 1e-5, 123456.789, 0.1, 1e22, -0.0, 3.0e-310], "big": 12345678901234567890,
    "ctl": "a\tb\nc\u0007\u007f\u2028\u00a0'\"\\é🦙", "lines": "one\ntwo\r\n\nfour\n", "tabs": "a\tbc\td", "pad": "  both \n", "uni": "ǅ ßtraße ΣΑΣ ŉ ﬁ İi",
    "pairs": [["a", 1], ["b", 2]],
}

T = []


def add(*templates):
    T.extend(templates)


# expressions
add(*("{{ %s }}" % e for e in """
1 + 2 * 3 - 4 / 2|7 // 2|-7 // 2|-7 % 3|7 % -3|7.5 // 2|-7.5 % 2|2 ** 10|2 ** -1|2 ** 3 ** 2|-2 ** 2|1 / 3|10 / 5|3 * "ab"|"ab" * 0|[1] * 3|[1] + [2]|(1, 2) + (3,)
1 < 2 < 3|1 < 3 < 2|1 == 1.0|true == 1|"a" < "b"|"a" < 1|[1, 2] < [1, 3]|none == none|none < 1|1 in [1.0]|"a" in "cat"|1 in "cat"|"x" in d|"b" in d|"b" not in d|1 not in nums
not 1|not not 0|1 and 0|0 or "x"|"" or none|1 if 0 else 2|1 if 0|(1 if 0) is defined|"a" ~ 1 ~ none ~ true ~ 2.0|"a" "b" 'c'|1_000 + 1|0x1f|0o17|0b11|1e3|1.5e-3|12_3.4_5|.5
s[0]|s[-1]|s[100]|s[1:4]|s[::-1]|s[::2]|s[-3:]|s[:-3]|s[5:2]|s[3:1:-1]|words[1:3]|words[::-1]|words[0][0]|words[10]|words["x"]|nums[1.0]|nums[true]|d["b"]|d.b|d.items|d["items"]|d.get|d["get"]|d.zzz|d.zzz is defined|d.a.x[2].y|d["a"]["x"][0]
d.zzz.y|zzz|zzz + 1|zzz.x|zzz[0]|zzz ~ "a"|zzz|length|zzz == zzz|zzz == ""|not zzz|zzz in [1]|1 in zzz|no.x|no.x.y|no["x"]|n.x|f.is_integer()|(4.0).is_integer()|n[0]|n[1:2]|no[1:2]|s["upper"]()
[]|[1, 'a', none]|{}|{'a': 1, 2: 'b', none: true}|()|(1,)|(1, 2)|{'a': 1}['a']|{'a': 1}.a|{1: 'x'}[1]|{1: 'x'}[1.0]|{true: 'x'}[1]|[[1], [2, [3]]]|{[1]: 2}|{(1, 2): 3}[(1, 2)]|{'a': 1} == {'a': 1.0}|[1, 2] == (1, 2)
floats|floats[0]|floats[1]|floats[2]|floats[3]|floats[4]|floats[7]|floats[8]|1e308 * 10|-1e308 * 10|0.1 + 0.2|1.0|100.0|1e5|12345678.9|big|big + 1|big * 2|2 ** 64|7 / 0|7 % 0|7.0 // 0|big / 3
ctl|[ctl]|[s, html]|["it's"]|['say "x"']|["both ' and \\""]|["\\x00\\x1f\\x7f\\x80\\xa0\\xad\\u200b\\u2028\\ud7ff\\ue000\\ufeff\\U0001F999"]|mixed|d|people|pairs|d.keys()|d.values()|d.items()|d.items|d.keys() is sequence|d.keys()|length|d.keys()[0]
range(3)|range(1, 4)|range(5, 0, -2)|range(3)|list|range(0)|range(2, 2)|list|range(3)[1]|range(10)[2:5]|range(3) is sequence|range(3)|length|2 in range(3)|range("a")|range(1.5)|range(1, 2, 0)|range(100001)|range(100000)|length
+n|-n|-s|+"a"|- 3|1 - -1|--1|not n == 42|1 is defined and 2|n is not none|"%s-%d" % ("a", 3)|"%5.2f|" % 3.14159|"%05d" % 42|"%x %X %o" % (255, 255, 8)|"%r" % "a"|"%%"|"%(a)s" % {'a': 1}|"%s" % (1, 2)|"%s %s" % 1|"%d" % "x"|"%-5s|" % "ab"|"%+d" % 3|"%e" % 12345.678|"%g" % 0.0001|"%s" % none|"%s" % [1]|"%c" % "x"
true|false|none|True|None|true + 1|[true, false]|-true|1 == true|"1" == 1|1.0 == 1|none is none|zzz is none|"a".x|"a".x is defined|"a".upper is defined|d.pop|d.pop is defined|d.update({'x': 1})|words.append(1)|words.append|nums.sort()|d.setdefault("q", 1)|words.copy()|d.copy() == d
d._x|s._x|s['_x']|s.format.x|dict(a=1, b=2)|dict(pairs)|dict(d, z=1).z|dict()|dict([1])|dict(pairs, a=5)""".strip().replace("\n", "|").replace("|length", "\0length").replace("|list", "\0list").replace("2f|", "2f\1").replace("-5s|", "-5s\1").split("|") for e in [e.replace("\0", "|").replace("\1", "|")]))
# string methods
add(*("{{ %s }}" % e for e in """s.upper()
s.lower()
uni.upper()
uni.lower()
uni.title()
uni.capitalize()
uni.swapcase()
uni.casefold()
"hello wORLD it's 3rd".title()
"hello wORLD".capitalize()
pad.strip() ~ "|"
pad.lstrip() ~ "|"
pad.rstrip() ~ "|"
"xxhixx".strip("x")
"abcba".strip("ab")
"éaé".strip("é")
"a,b,,c".split(",")
"a,b,,c".split(",", 1)
"a,b,,c".rsplit(",", 1)
" a  b\tc ".split()
" a  b\tc ".split(none, 1)
" a  b\tc ".rsplit(none, 1)
"".split()
"".split(",")
"abc".split("")
"a--b--c".split("--", maxsplit=1)
"a,b".split(sep=",")
lines.splitlines()
lines.splitlines(true)
"a\\x0bb\\x1cc\\u2028d".splitlines()
s.startswith("Hell")
s.startswith(("x", "He"))
s.startswith("ello", 1)
s.endswith("ld")
s.endswith(("a", "d"))
s.endswith("World"[:-1], 0, -1)
s.startswith(1)
s.find("l")
s.rfind("l")
s.find("zz")
s.find("ö")
s.find("l", 3)
s.find("l", -4, -1)
s.index("zz")
s.index("W")
s.count("l")
"aaaa".count("aa")
"abc".count("")
s.replace("l", "L")
s.replace("l", "L", 1)
"abc".replace("", "-")
"abc".replace("", "-", 2)
s.replace("l")
", ".join(words)
", ".join(nums)
"-".join("abc")
"-".join(d)
"{} {}".format(1, "a")
"{0} {1} {0}".format(1, "a")
"{a} {b!r}".format(a=1, b="x")
"{:>5}|{:<5}|{:^5}".format(1, "a", "b")
"{:05d} {:+} {:x} {:#x} {:,}".format(42, 3, 255, 255, 1234567)
"{:.2f} {:8.3f} {:e} {:g} {:%}".format(3.14159, 2.5, 12345.6, 0.00001, 0.25)
"{:*^9}".format("mid")
"{0[a]} {1[0]}".format({"a": 1}, [2])
"{0.upper}".format("a") is defined
"{{}}".format(1)
"{} {1}".format(1, 2)
"{".format(1)
"{x}".format(1)
"{:{w}}".format("a", w=4) ~ "|"
"{:.3}".format("abcdef")
"{:d}".format("a")
"{a}".format_map({"a": 1})
"ab".ljust(4) ~ "|"
"ab".rjust(4, "*")
"ab".center(5, "*")
"abc".center(6, "*")
"abc".ljust(1)
"42".zfill(5)
"-42".zfill(5)
"+4".zfill(1)
"ab".center(5, "**")
"prefix-x".removeprefix("prefix-")
"x.py".removesuffix(".py")
"a=b=c".partition("=")
"a=b=c".rpartition("=")
"abc".partition("=")
"abc".rpartition("=")
tabs.expandtabs()
tabs.expandtabs(4)
"abc".isalpha()
"".isalpha()
"ab1".isalnum()
"12".isdigit()
"1²".isdigit()
"1²".isdecimal()
"½".isnumeric()
" \\t".isspace()
"ab".islower()
"Ab".islower()
"A1".isupper()
"Hello World".istitle()
"Hello world".istitle()
"ab_1".isidentifier()
"1ab".isidentifier()
"é".isascii()
"a\\x07".isprintable()
"abc".nope()
"abc".upper(1)
"a".join()
d.get("b")
d.get("zz")
d.get("zz", 5)
d.get()
d["a"].get("x")
d["a"].keys()|list
d["a"].items()|list
words.index("Alpha")
words.index("zz")
words.count("alpha")
(1, 2, 1).count(1)
nums.index(3, 1)
"x".format
n.bit_length()""".split("\n")))
# filters
add(*("{{ %s }}" % e for e in """html|escape
html|e|e
html|safe
html|safe + "<"
"<" + html|safe
(html|safe) ~ "<"
[html|safe]
(html|safe).upper()
(html|safe)|length
(html|safe)|string
(html|safe)|trim + "<"
(html|safe)[0] + "<"
(html|safe) * 2
(html|safe) % 1
("%s"|safe) % "<"
("{}"|safe).format("<")
("a"|safe).join(["<", "b"])
("a<b"|safe).split("<")
("a"|safe).replace("a", "<")
html|forceescape
html|striptags
"<p>a &amp; <!-- c > --> b</p>"|striptags
html|upper
s|lower
s|capitalize
"foo bar-baz (qux) it's"|title
s|trim("Hd")
pad|trim
n|string + "x"
none|string
s|length
d|length
n|length
no|length
s|count
words|sort
words|sort(reverse=true)
words|sort(case_sensitive=true)
people|sort(attribute="age")|map(attribute="name")|list
people|sort(attribute="age,name")|map(attribute="name")|list
people|sort(attribute="tags")|list
mixed|sort
nums|sort
nums|unique|list
words|unique|list
words|unique(case_sensitive=true)|list
people|unique(attribute="age")|map(attribute="name")|list
nums|min
nums|max
words|min
words|max
people|max(attribute="age")
[]|min
[]|min is defined
words|join
words|join(", ")
nums|join("-")
people|join(", ", attribute="name")
d|join(",")
s|join(".")
n|join
words|first
words|last
[]|first
[]|last
s|first
s|last
d|first
nums|select("odd")|first
nums|select("odd")|last
nums|reverse|list
s|reverse
nums|reverse
words|list
s|list
d|list
zzz|list
d|items|list
zzz|items|list
n|items|list
d|items|length
nums|sum
people|sum(attribute="age")
[[1], [2]]|sum(start=[])
words|sum
nums|sum(start=10)
nums|batch(2)|list
nums|batch(3, "x")|list
nums|slice(3)|list
nums|slice(3, "x")|list
people|groupby("age")
people|groupby("age")|map("first")|list
people|groupby("name")|map(attribute=0)|list
people|groupby("tags", default=1)
people|map(attribute="name")|join(",")
people|map(attribute="zz")|list
people|map(attribute="tags", default="none")|list
people|map(attribute="tags.0")|list
words|map("upper")|list
words|map("replace", "a", "4")|list
words|map("zzz")|list
words|map|list
words|map("length")|list
nums|select("odd")|list
nums|select("gt", 1)|list
nums|reject("odd")|list
mixed|select|list
mixed|select("string")|list
people|selectattr("tags")|map(attribute="name")|list
people|selectattr("age", "gt", 26)|map(attribute="name")|list
people|selectattr("age", "equalto", 30)|list|length
people|rejectattr("age", "equalto", 30)|map(attribute="name")|list
people|selectattr("tags", "defined")|list|length
people|selectattr("zz.y")|list
people|selectattr()|list
nums|select("zzz")|list
(nums|select("odd")) is sequence
(nums|select("odd")) is iterable
nums|select("odd")|length
(nums|map("string"))[0] is defined
"yes" if []|select else "no"
"yes" if [1]|select("odd") else "no"
d|dictsort
d|dictsort(true)
d|dictsort(reverse=true)
{"a": 2, "b": 1}|dictsort(by="value")
{"a": 2, "b": 1}|dictsort(false, "value")
{"a": 2}|dictsort(by="zz")
zzz|default("x")
""|default("x")
""|default("x", true)
none|default("x")
none|d("x", boolean=true)
zzz|default
"3"|int
"3.7"|int
"x"|int
"x"|int(5)
"x"|int(default=-1)
"0x1f"|int(base=16)
"1f"|int(0, 16)
" 7 "|int
"1_000"|int
3.9|int
-3.9|int
none|int
true|int
[]|int
"1e3"|int
"3.5"|float
"x"|float
"inf"|float
"x"|float(1.5)
n|float
none|float
" 1e3 "|float
-5|abs
-5.5|abs
"x"|abs
2.5|round
3.5|round
2.675|round(2)
1234.5|round(-2)
2.1|round(method="ceil")
2.9|round(method="floor")
2.11|round(1, "ceil")
2|round
5|round(-1)
15|round(-1)
2.5|round(method="zz")
html|replace("<", "[")
s|replace("l", "L", 1)
n|replace("4", "5")
s|replace("l", 1)
lines|indent
lines|indent(2, true)
lines|indent(2, blank=true)
lines|indent("> ", first=true)
"x"|indent
n|indent
"%s is %d"|format("a", 3)
"%(x)s"|format(x=1)
"%s"|format(1, x=2)
"foo bar baz qux"|truncate(9)
"foo bar baz qux"|truncate(9, true)
"foo bar baz qux"|truncate(11)
"foo bar baz qux"|truncate(11, false, "..", 0)
"a b"|truncate(1)
"Hello big world, it's"|wordcount
s|center(20) ~ "|"
"a b&c/d?é"|urlencode
{"a b": 1, "c": "d/e"}|urlencode
[("a", 1)]|urlencode
{"class": "x", "id": none, "q": '"<'}|xmlattr
{"a b": 1}|xmlattr
{"a": 1}|xmlattr(false)
100|filesizeformat
1000|filesizeformat
1|filesizeformat
1234567|filesizeformat
1048576|filesizeformat(true)
"2000"|filesizeformat
d|attr("keys") is defined
s|attr("upper")
d|attr("zz") is defined
d|tojson
mixed|tojson
floats|tojson
ctl|tojson
ctl|tojson(ensure_ascii=true)
"é🦙"|tojson(true)
d|tojson(indent=2)
d|tojson(indent=0)
[]|tojson(indent=2)
{"a": [], "b": {}}|tojson(indent=2)
d|tojson(indent="--")
d|tojson(separators=(",", ":"))
d|tojson(indent=1, separators=(", ", " : "))
{"b": 1, "a": 2}|tojson(sort_keys=true)
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
zzz|tojson
(1, 2)|tojson
range(2)|tojson
d.keys()|tojson
(html|safe)|tojson
nums|map("string")|tojson
big|tojson
"</script>"|tojson
s|upper|lower|title
(1, 2)|list|tojson
s|nope
nums|first|string|length
words|map("first")|join
-1|abs
(-1)|abs
1 + 2|string
"a" ~ 1|string|length
s|d
s.upper()|lower
"abc"|upper ~ "d"|upper
nums|tojson|length
people[0].tags|join("/")|upper
people|map(attribute="name")|map("upper")|map("replace", "A", "_")|join("|")""".split("\n")))
# tests
add(*("{{ %s }}" % e for e in """n is number
f is float
n is integer
true is integer
true is number
true is boolean
1 is boolean
s is string
(html|safe) is string
d is mapping
words is mapping
words is sequence
s is sequence
d is sequence
n is sequence
s is iterable
n is iterable
none is iterable
zzz is iterable
zzz is defined
zzz is undefined
s is not defined
none is none
zzz is none
n is odd
n is even
n is divisibleby 7
n is divisibleby(5)
s is odd
0 is true
true is true
false is false
"abc" is lower
"ABC" is upper
"aBC" is upper
1 is lower
n is eq 42
n is ==(42)
n is equalto 42.0
n is ne 3
n is gt 3
n is ge 42
n is lt 3
n is le 42
n is greaterthan 50
n is lessthan 50
n is in [42]
"a" is in "cat"
n is sameas n
none is sameas none
1 is sameas true
"upper" is filter
"nope" is filter
"odd" is test
"nope" is test
range is callable
s is callable
s.upper is callable
zzz is callable
html is escaped
(html|safe) is escaped
n is nope
n is not nope
not n is odd
n is odd or n is even
n is defined is none
n is divisibleby 2 and true
s is string and s is not number
(n is odd) == false
words is sequence and words is not string""".split("\n")))
# statements, scopes, whitespace
add("{% if n > 40 %}a{% elif n > 10 %}b{% else %}c{% endif %}", "{% if zzz %}a{% elif none %}b{% endif %}", "{% if n %}a{% endif %}b\n", "a\n\n", "\n", "", "a\r\nb\rc\r\n",
    "{% for x in nums %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}", "{% for x in [] %}a{% else %}none{% endfor %}", "{% for x in nums if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% else %}no{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}", "{% for (a, b) in pairs %}{{ a }}{{ b }}{% endfor %}", "{% for a, b in nums %}{{ a }}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "{% for x in nums %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in nums %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "{% for x in nums %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }} {% endfor %}",
    "{% for x in nums %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in nums %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{{ loop.index }}{% endfor %}",
    "{% for n1 in tree recursive %}{{ n1.v }}({{ loop.depth }}{{ loop(n1.kids) }}){% endfor %}", "{% for x in nums %}{{ loop(x) }}{% endfor %}", "{% for x in zzz %}a{% else %}b{% endfor %}", "{% for x in n %}a{% endfor %}", "{% for x in none %}a{% endfor %}",
    "{% for c in 'aé🦙' %}[{{ c }}]{% endfor %}", "{% for x in nums %}{% set y = x %}{% endfor %}{{ y }}", "{% set y = 0 %}{% for x in nums %}{% set y = y + x %}{{ y }},{% endfor %}{{ y }}", "{% set ns = namespace(y=0) %}{% for x in nums %}{% set ns.y = ns.y + x %}{% endfor %}{{ ns.y }}",
    "{% if true %}{% set y = 1 %}{% endif %}{{ y }}", "{% set y %}a{{ n }}b{% endset %}{{ y }}|{{ y|length }}", "{% set y | upper %}abc{% endset %}{{ y }}", "{% set y | replace('a', 'x') | upper %}abc{% endset %}{{ y }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set (a, b) = pairs[0] %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}", "{% set a = b = 1 %}", "{% set s.x = 1 %}", "{% set zzz.x = 1 %}", "{% set d.b = 2 %}{{ d.b }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}|{{ ns.b is defined }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}",
    "{% set ns = namespace(_x=1) %}", "{% set ns = namespace(a=1) %}{% set ns._x = 2 %}", "{% set ns = namespace(items=[]) %}{% set ns.items = ns.items + [1] %}{{ ns.items }}", "{% set ns = namespace(a=1) %}{{ ns }}", "{% set ns = namespace(a=1) %}{{ ns.keys }}|{{ ns._x }}",
    "{% macro m(a, b=2, c='x') %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c='z') }}{{ m(b=1, a=2) }}{{ m() }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}body{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}-{{ b }}{% endcall %}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}x{% endmacro %}{% call m() %}body{% endcall %}", "{% macro fac(k) %}{% if k > 1 %}{{ k * fac(k - 1)|int }}{% else %}1{% endif %}{% endmacro %}{{ fac(5) }}", "{% macro m(x) %}{{ y }}{% endmacro %}{% set y = 5 %}{{ m(1) }}", "{% set y = 1 %}{% macro m() %}{% set y = 2 %}{{ y }}{% endmacro %}{{ m() }}{{ y }}",
    "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}", "{% for x in nums %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}", "{% macro m(a=n, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{% macro m() %}x{% endmacro %}{{ m }}|{{ m.name }}|{{ m is callable }}",
    "{% macro m(a, b=1, c) %}{% endmacro %}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'x': 2}) }}", "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}aaa{% endfilter %}", "{% filter nope %}x{% endfilter %}",
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}", "{% with a = 1 %}{% with b = a %}{{ b }}{% endwith %}{% endwith %}", "{% set a = 9 %}{% with a = 1, b = a %}{{ b }}{% endwith %}", "{% generation %}x{{ n }}{% endgeneration %}", "{% generation %}{% set q = 1 %}{% endgeneration %}{{ q }}",
    "{% raw %}{{ x }}{% if %}{% endraw %}", "a {%- raw -%} {{ x }} {%- endraw -%} b", "  {% raw %}\n x\n  {% endraw %}\ny", "{# c #}a{# d -#}  b", "a\n  {# c #}\nb", "a\n  {#- c -#}\n b", "a {#- x #} b", "{# multi\nline {{ x }} #}z",
    "  {% if true %}\n  a\n  {% endif %}\nb", "a  {% if true %}  b  {% endif %}  c", "  {%- if true -%}\n  a\n  {%- endif -%}\nb", "  {%+ if true %}\n a{% endif %}", "{% if true +%}\n a{% endif %}", "a\n\t {% if true %}x{% endif %}\t\nb", "  {{ n }}\n  {{- n -}}\n  {{ n }}", "{{ n }}\n{{ n }}\n", "{% set a = 1 %}\n\n{% set b = 2 %}\nx",
    "a{% if true %}\n\nb{% endif %}", "x {{- ' y ' -}} z", "{%- set a = 1 -%}   x", "a\u00a0{%- if true %}b{% endif %}", "\u00a0{% if true %}b{% endif %}", "{{ '{{' }}{{ '}}' }}", "{{ \"a'b\" }}{{ 'a\"b' }}", "{{ 'a\\nb\\tc\\\\d\\'e\\x41\\u00e9\\U0001F999\\101\\q' }}", "{{ 'a\\\nb' }}", "{{ 'é' }}é{{ \"\\r\\n\" }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a': 1}|tojson}}", "{{ [1,2,] }}{{ (1,) }}{{ {'a':1,} }}",
    "{% print n, s %}", "{% block b %}x{{ n }}{% endblock %}", "{% block b scoped %}x{% endblock b %}", "{% autoescape true %}{{ html }}{{ html|safe }}{% endautoescape %}{{ html }}", "{% set x = 1 if n else 2 %}{{ x }}", "{% if n is defined and n %}y{% endif %}", "{% if not n %}y{% else %}z{% endif %}", "{% if n == 42 or zzz.x %}y{% endif %}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}", "{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}", "{% set c = cycler() %}", "{{ strftime_now('%Y-%m-%d %H:%M:%S') }}", "{{ strftime_now('%A %a %B %b %d %e %j %I %p %y %%') }}", "{{ strftime_now('%-d %-m %f|%z|%Z|%U %W %w %u') }}", "{{ strftime_now('') }}", "{{ strftime_now(1) }}",
    "{{ raise_exception('no ' ~ s) }}", "{{ raise_exception() }}", "{% if false %}{{ raise_exception('x') }}{% endif %}ok", "{{ messages[0].content }}{{ messages|length }}", "{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}", "{{ tools }}", "{{ loop }}", "{{ loop is defined }}",
    "{% if false %}{{ 1|nope }}{% endif %}ok", "{% if false %}{% for x in nums %}{{ x|nope }}{% endfor %}{% endif %}ok", "{{ 1|nope if false else 2 }}", "{% if false %}{{ 1 is nope }}{% endif %}ok", "{% for x in [] %}{{ x|nope }}{% endfor %}", "{% macro m() %}{{ 1|nope }}{% endmacro %}",
    "{% if %}{% endif %}", "{% if n %}", "{% endif %}", "{% for %}{% endfor %}", "{% for x %}{% endfor %}", "{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ 1) }}", "{{ [1 }}", "{{ a b }}", "{{ 'a }}", "{% nope %}", "{% set %}", "{% set 1 = 2 %}", "{% set true = 1 %}", "{{ n", "{% if n", "{# x", "{% raw %}x", "{{ a.1b }}", "{{ a. }}", "{{ a| }}", "{{ a is }}", "{{ f(a=1, 2) }}", "{{ f(**a, b) }}", "{{ 1 if }}", "{{ not }}", "{% for x in nums %}{% endif %}", "{% macro %}{% endmacro %}", "{% call 1 %}{% endcall %}", "{{ $ }}", "{{ a ? b }}", "{{ n & 1 }}", "{{ 07 }}", "{{ 1.2.3 }}", "{{ a..b }}", "{% break %}", "{% else %}", "{% for loop in nums %}{% endfor %}", "}}", "%}", "#}", "{ { n } }", "{%%}", "{{}}", "{% if n %}{% else %}{% else %}{% endif %}",
    "{{ words.0 }}{{ pairs.0.1 }}", "{{ words[-1:][0] }}", "{{ d['a'].x[-1]['y'] }}", "{{ nums[n] is defined }}", "{{ (nums|sort)[0] }}", "{{ nums|sort|first }}", "{{ 'a' if n else 'b' if f else 'c' }}", "{{ ('a', 'b')[n == 42] }}", "{{ 'x'.join(['a', 'b'])|upper }}", "{{ (1, 2) == (1, 2) }}{{ [1] is sameas [1] }}", 
    "{% for x in nums|select('odd') %}{{ x }}{{ loop.length }}{% endfor %}", "{% set g = nums|select('odd') %}{{ g|list }}{{ g|list }}", "{% set it = d.items() %}{{ it|list|length }}{{ it|list|length }}", "{% for k, v in d|dictsort %}{{ k }}{% endfor %}", "{% for g in people|groupby('age') %}{{ g.grouper }}:{{ g.list|length }} {% endfor %}", "{% for age, list in people|groupby('age') %}{{ age }}:{{ list|map(attribute='name')|join('+') }} {% endfor %}",
    "{% for x in nums %}{% for y in words %}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}", "{% for x in nums %}{% set outer = loop %}{% for y in [1, 2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}", "{% for x in nums %}{{ x }}{% else %}e{% endfor %}{{ x }}", "{% set x = 'o' %}{% for x in nums %}{{ x }}{% endfor %}{{ x }}", "{% set x = 1 %}{% for i in nums %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}",
    "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for i in range(words|length) %}{{ words[i] }}{{ i }}{% endfor %}", "{{ range(3)|sum }}{{ range(3)|join }}", "{% for a in 'ab' %}{% for b in 'cd' %}{% if b == 'd' %}{% continue %}{% endif %}{{ a }}{{ b }}{% endfor %}{% endfor %}", "{%for x in nums%}{{x}}{%endfor%}", "{%- for x in nums -%} {{ x }} {%- endfor -%}", "{% for x in nums: %}{{ x }}{% endfor %}",
    "{{ s|default(zzz.y) }}", "{{ zzz|default(zzz2|default('deep')) }}", "{{ (zzz|default({})).x }}", "{{ d.get('a', {}).get('x', [])[0] }}", "{{ d.get('q', {}).get('x', []) }}", "{{ [1, 2, 3][1:] + [4] }}", "{{ s[:5] + '!' }}", "{{ 'a\\n' ~ 'b' }}", "{{ ['a', 'b']|join('\\n') }}", "{{ 'x' * (3 - 1) }}", "{{ [[1, 2], [3]]|map('length')|list }}", "{{ [[1, 2], [3]]|map('first')|sum }}",
    "{% set content = pad|trim %}{{ content }}|", "{% set a = [] %}{% set a = a + ['x'] %}{{ a }}", "{% set dd = dict(d, new=1) %}{{ dd.new }}{{ d.new is defined }}", "{{ dict(a=1).items()|list }}", "{{ {'a': 1}.items() }}", "{{ {}.keys() }}", "{{ {} is mapping }}{{ {} == {} }}", "{{ none.upper() }}", "{{ s.upper }}" if False else "{{ s.upper is defined }}")

if __name__ == "__main__":
    cases, seen = [], set()
    for template in T:
        if template in seen:
            continue
        seen.add(template)
        case = {"template": template}
        try:
            case["expect"] = ctu._compile_jinja_template(template).render(
                messages=[{"role": "user", "content": "Hi"}], tools=None, documents=None, add_generation_prompt=False, **json.loads(json.dumps(VALUES)))
        except Exception as e:
            case["error"] = type(e).__name__
        if "<function" in case.get("expect", "") or " at 0x" in case.get("expect", ""):
            continue  # an address
        cases.append(case)
    print('{"now": "%s", "values": %s, "cases": [' % (NOW.isoformat(), json.dumps(VALUES)))
    print(",\n".join(json.dumps(c) for c in cases))
    print("]}")
    print(len(cases), "cases,", sum("error" in c for c in cases), "errors", file=sys.stderr)
