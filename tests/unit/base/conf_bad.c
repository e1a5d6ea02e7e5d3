/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* Every error in one run, at its line and column, with what is allowed. */
#include "tests/unit/base/conf_test.h"

/* `said`: each of them is a piece of what is printed, in this order. */
static const struct row {
	const char	*text;
	const char	*said[5];
	size_t		 errors;
} rows[] = {
	/* ---- unknown keys and words ---- */
	{ "hostnam = \"a.example\"", { "t.conf:1:1: error: unknown key "
	  "`hostnam`; allowed here: hostname, postmaster, listen, accept, limits",
	  "did you mean `hostname`?" }, 1 },
	{ "limits { recpients = 5 }", { "t.conf:1:10: error: unknown key "
	  "`recpients`; allowed in limits: message-size, recipients, ",
	  "; did you mean `recipients`?" }, 1 },
	{ "relay { timeout { conect = 3s } }", { "1:19: error: unknown key",
	  "in relay.timeout: connect, ", "did you mean `connect`?" }, 1 },
	{ "listne \"x\" { foo = 1 }", { "did you mean `listen`?" }, 1 },
	{ "relay { forward = [] }", { "unknown key `forward`",
	  "; it belongs in dns" }, 1 },
	{ "log { hostname = \"x.example\" }", { "unknown key `hostname`",
	  "; it belongs outside of blocks" }, 1 },
	{ "zzzzzz = 1", { "1:1: error: unknown key `zzzzzz`; allowed here: "
	  "hostname, postmaster, listen, accept, limits, relay, tls, policy, dns, state, "
	  "control, log, processes, drain, allow-loopback\n" }, 1 },
	{ "log { format = \"jason\" }", { "1:16: error: `format` cannot be "
	  "\"jason\"; allowed: \"logfmt\" or \"json\"; did you mean `json`?" },
	  1 },
	{ "limits { bare-newline = \"rejcet\" }",
	  { "allowed: \"normalize\" or \"reject\"; did you mean `reject`?" }, 1 },
	{ "allow-loopback = ture", { "1:18: error: `allow-loopback` cannot be "
	  "ture; allowed: true or false; did you mean `true`?" }, 1 },
	{ "allow-loopback = yes", { "cannot be yes; allowed: true or false\n" },
	  1 },

	/* ---- twice ---- */
	{ "hostname = \"a.example\"\n hostname = \"b.example\"",
	  { "t.conf:2:2: error: `hostname` is set twice: first at "
	  "t.conf:1:1" }, 1 },
	{ "limits { recipients = 5 }\nlimits { recipients = 6 }",
	  { "2:10: error: `recipients` is set twice: first at t.conf:1:10" },
	  1 },
	{ "listen \"a\" { address = \"127.0.0.1:1\" }\nlisten \"a\" { "
	  "address = \"127.0.0.1:2\"; tls = \"x\" }",
	  { "2:8: error: listen \"a\" is there twice: first at t.conf:1:8",
	  "2:45: error: `tls` cannot be \"x\"" }, 2 },
	{ "relay { domain \"A.example\" { }; domain \"a.example.\" { } }",
	  { "1:40: error: domain \"a.example\" is there twice: first at "
	  "t.conf:1:16" }, 1 },
	{ "listen \"a\" { tls = \"none\"; tls = \"none\" }",
	  { "1:28: error: `tls` is set twice: first at t.conf:1:14" }, 1 },
	{ "listen \"a\" { }\nlisten \"b\" { address = \"x y\" }", { "2:24: "
	  "error: `address` cannot be \"x y\"; allowed: an IP address" }, 1 },
	{ "listen \"a\" { }\nlisten \"b\" { }", { "2:1: error: listen \"a\" at "
	  "t.conf:1:1 has 127.0.0.1:25 or covers it" }, 1 },
	{ "listen \"a\" { address = \"[::]:25\" }\n"
	  "listen \"b\" { address = \"0.0.0.0:25\" }",
	  { "2:24: error: listen \"a\" at t.conf:1:1 has 0.0.0.0:25" }, 1 },

	/* ---- not yet ---- */
	{ "policy { dane = true\n socketmap = [] }", { "t.conf:2:2: "
	  "error: `socketmap` is not supported in this version\n" }, 1 },
	{ "policy { domain \"a.example\" { require = \"dnae\" } }",
	  { "1:41: error: `require` cannot be \"dnae\"; allowed: \"none\", "
	  "\"clear\", \"encrypted\", \"verified\", \"sts\" or \"dane\"; did "
	  "you mean `dane`?" }, 1 },
	{ "policy { domain \"a.example\" { pin = true } }", { "1:31: error: "
	  "`pin` is not supported in this version" }, 1 },
	{ "tls { certificate \"own\" { chain = \"/x\" } }",
	  { "1:7: error: `key` is missing: name the PEM file" }, 1 },
	{ "tls { certificate { chain = \"/x\"; key = \"/y\" } }",
	  { "1:7: error: `certificate` is written as certificate \"name\" { "
	  "... }" }, 1 },
	{ "tls { certificate \"a\" { chain = \"/x\"; key = \"y\" }\n"
	  "certificate \"a\" { key = \"/x\"; chian = \"/x\" } }",
	  { "1:45: error: `key` cannot be \"y\"; allowed: a path that begins "
	  "with /", "2:13: error: certificate \"a\" is there twice: first at "
	  "t.conf:1:19", "2:31: error: unknown key `chian`; allowed in "
	  "tls.certificate: chain, key; did you mean `chain`?",
	  "2:1: error: `chain` is missing" }, 4 },
	{ "listen \"p\" { auth = 1\nproxy = true }", { "1:14: error: `auth` is "
	  "not supported in this version", "2:1: error: `proxy` is not "
	  "supported" }, 2 },
	{ "listen \"p\" { xforward = 1\ngreeting-name = \"192.0.2.1\" }",
	  { "1:25: error: `xforward` cannot be 1", "2:17: error: "
	  "`greeting-name` cannot be \"192.0.2.1\"" }, 2 },
	{ "listen \"p\" { tls = \"implict\" }", { "1:20: error: `tls` cannot be "
	  "\"implict\"; allowed: \"starttls\", \"none\", \"required\" or "
	  "\"implicit\"; did you mean `implicit`?" }, 1 },
	{ "tls { certificate \"a\" { chain = \"credential:\"; "
	  "key = \"credential:../k\" } }", { "`chain` cannot be \"credential:\"; "
	  "allowed: a path that begins with / or credential:NAME", "`key` cannot "
	  "be \"credential:../k\"" }, 2 },
	{ "tls { client-certificates = \"demand\" }", { "1:29: error: "
	  "`client-certificates` cannot be \"demand\"; allowed: \"none\" or "
	  "\"request\"" }, 1 },
	{ "relay { retry { delay-warning = 61d; first = 0 } }",
	  { "1:33: error: `delay-warning` cannot be 61d",
	  "1:46: error: `first` cannot be 0" }, 2 },
	{ "relay { source = [ \"192.0.2.1\", \"192.0.2.2\" ] }", { "1:33: error: "
	  "`source` cannot be \"192.0.2.2\"; allowed: a list of one IPv4 "
	  "address, one IPv6", "; a second one of its family" }, 1 },
	{ "relay { source = [ \"192.0.2.1:25\", 7 ] }", { "`source` cannot be "
	  "\"192.0.2.1:25\"", "`source` takes text in double quotes" }, 2 },
	{ "relay { source = \"192.0.2.1\" }", { "`source` takes a list" }, 1 },
	{ "relay { ehlo-name = \"192.0.2.1\"; protocols = \"IPv4\" }",
	  { "`ehlo-name` cannot be \"192.0.2.1\"", "`protocols` cannot be "
	  "\"IPv4\"; allowed: \"any\", \"ipv4\" or \"ipv6\"" }, 2 },
	{ "log { target = \"syslg\" }", { "`target` cannot be \"syslg\"; allowed: "
	  "\"stderr\", \"syslog\" or \"journal\"; did you mean `syslog`?" }, 1 },
	{ "accept { domain \"a.example\" { to = \"discard:\"; recipients = "
	  "\"file:etc/x\" } }", { "`recipients` cannot be \"file:etc/x\"; "
	  "allowed: \"verify\", \"any\" or \"file:/PATH\"; the path begins "
	  "with /" }, 1 },
	{ "accept { domain \"a.example\" { to = \"discard:\"; recipients = "
	  "\"ayn\" } }", { "; did you mean `any`?" }, 1 },
	/* The list never came. */
	{ "accept { domain \"a.example\" { to = \"discard:\"; recipients = "
	  "\"file:/etc/x\" } }", { "t.conf:1:1: error: a list of recipients "
	  "was damaged on its way" }, 1 },
	{ "accept { client \"192.0.2.0/33\" { } }", { "1:17: error: client "
	  "\"192.0.2.0/33\" is no network; allowed: a network or address in "
	  "quotes" }, 1 },
	{ "accept { client \"192.0.2.1\" { }; client \"192.0.2.1/32\" { } }",
	  { "client \"192.0.2.1/32\" is there twice: first at t.conf:1:17" },
	  1 },
	{ "accept { client { require = \"encrypted\" } }", { "`client` is "
	  "written as client \"192.0.2.0/24\" { ... }" }, 1 },
	{ "accept { client \"::1\" { require = \"dane\" } }", { "`require` "
	  "cannot be \"dane\"; allowed: \"clear\" or \"encrypted\"" }, 1 },
	{ "accept { domain \"a.example\" { recipients = \"any\" } }",
	  { "1:10: error: `to` is missing" }, 1 },

	/* ---- next hops ---- */
	{ "relay { via = \"lmtp:unix:x\" }", { "`via` cannot be "
	  "\"lmtp:unix:x\"", "allowed: " }, 1 },
	{ "relay { via = \"lmtp:unix:/\" }", { "`via` cannot be "
	  "\"lmtp:unix:/\"", "allowed: " }, 1 },
	{ "relay { via = \"lmtp:unix:\" }", { "`via` cannot be "
	  "\"lmtp:unix:\"", "allowed: " }, 1 },
	{ "relay { via = \"lmtp:\" }", { "`via` cannot be "
	  "\"lmtp:\"", "allowed: " }, 1 },
	{ "relay { via = \"lmtp:example.org\" }", { "`via` cannot be "
	  "\"lmtp:example.org\"", "; a host for LMTP is written in [ ]" }, 1 },
	{ "relay { via = \"lmtp:[192.0.2.1]:25\" }", { "`via` cannot be "
	  "\"lmtp:[192.0.2.1]:25\"", "; LMTP is not for port 25 (RFC 2033 sec 5)" }, 1 },
	{ "relay { via = \"lmtp:192.0.2.1\" }", { "`via` cannot be "
	  "\"lmtp:192.0.2.1\"", "; an address is written in [ ]" }, 1 },

	/* ---- values ---- */
	{ "limits { message-size = 50X }", { "1:25: error: `message-size` "
	  "cannot be 50X; allowed: a size from 1K to 2G" }, 1 },
	{ "limits { message-size = 0 }", { "cannot be 0; allowed" }, 1 },
	{ "limits { message-size = 3G }", { "cannot be 3G; allowed" }, 1 },
	{ "limits { message-size = 99999999999999999999G }", { "allowed" }, 1 },
	{ "limits { message-size = 18014398509481985K }", { "allowed" }, 1 },
	{ "limits { message-size = \"50M\" }", { "1:25: error: `message-size` "
	  "is written without quotes: 50M" }, 1 },
	{ "limits { message-size = [ 1 ] }", { "1:25: error: `message-size` "
	  "does not take a list" }, 1 },
	{ "limits { recipients = -5 }", { "1:23: error: `recipients` cannot "
	  "be -5; allowed: a number from 1 to 50000" }, 1 },
	{ "relay { port = 0 }", { "a number from 1 to 65535" }, 1 },
	{ "relay { port = 65536 }", { "a number from 1 to 65535" }, 1 },
	{ "relay { port = 2.5 }", { "cannot be 2.5" }, 1 },
	{ "relay { timeout { connect = 30 } }", { "1:29: error: `connect` "
	  "cannot be 30; allowed: a duration from 100ms to 1d in ms, s, m, h, "
	  "d or w, such as 30s" }, 1 },
	{ "relay { timeout { connect = 30M } }", { "cannot be 30M" }, 1 },
	{ "processes { smtpd = 65 }", { "a number from 0 to 64" }, 1 },
	{ "log { format = json }", { "1:16: error: `format` takes text in "
	  "double quotes: \"json\"" }, 1 },
	{ "hostname = \"-bad.example\"", { "1:12: error: `hostname` cannot be "
	  "\"-bad.example\"; allowed: a domain name such as" }, 1 },
	{ "hostname = \"*.example\"", { "cannot be" }, 1 },
	{ "postmaster = \"root\"", { "1:14: error: `postmaster` cannot be "
	  "\"root\"; allowed: \"\" or an address such as" }, 1 },
	{ "postmaster = \"a..b@x.example\"", { "cannot be" }, 1 },
	{ "postmaster = \"\\\"a\\\"@x.example\"", { "cannot be" }, 1 },
	{ "postmaster = \"j\xc3\xb6@x.example\"", { "cannot be" }, 1 },
	{ "postmaster = \"a@b@x.example\"", { "cannot be" }, 1 },
	{ "postmaster = \"a@*.example\"", { "cannot be" }, 1 },
	{ "hostname = \"192.0.2.1\"", { "cannot be" }, 1 },
	{ "hostname = \"a..example\"", { "cannot be" }, 1 },
	{ "hostname = \"\"", { "cannot be \"\"" }, 1 },
	{ "hostname = \"a b\"", { "cannot be \"a b\"" }, 1 },
	{ "hostname = \"a\\nb\"", { "cannot be \"a\\x0ab\"" }, 1 },
	{ "state { directory = \"var\" }", { "1:21: error: `directory` cannot "
	  "be \"var\"; allowed: a path that begins with /" }, 1 },
	{ "state { directory = \"\" }", { "a path that begins with /" }, 1 },
	{ "control { directory = \"/0123456789012345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890\" }",
	  { "`directory` is longer than 90 bytes" }, 1 },
	{ "listen \"a\" { address = \"mx.example:25\" }", { "1:24: error: "
	  "`address` cannot be \"mx.example:25\"; allowed: an IP address and "
	  "port" }, 1 },
	{ "listen \"a\" { address = \"192.0.2.1:0\" }", { "cannot be" }, 1 },
	{ "listen \"a\" { address = \"2001:db8::1:25:\" }", { "cannot be" }, 1 },
	{ "listen \"a\" { relay-from = \"192.0.2.1\" }", { "1:27: error: "
	  "`relay-from` takes a list in [ ]" }, 1 },
	{ "listen \"a\" { relay-from = [ \"192.0.2.0/33\",\n \"x\", 5 ] }",
	  { "1:29: error: `relay-from` cannot be \"192.0.2.0/33\"",
	  "2:2: error: `relay-from` cannot be \"x\"",
	  "2:7: error: `relay-from` takes text in double quotes" }, 3 },
	{ "dns { forward = [ \"192.0.2.53@0\", \"ns.example\" ] }",
	  { "1:19: error: `forward` cannot be \"192.0.2.53@0\"",
	  "1:35: error: `forward` cannot be \"ns.example\"" }, 2 },
	{ "dns { probe-names = [ \"a..b\", 5, \"192.0.2.1\" ] }",
	  { "1:23: error: `probe-names` cannot be \"a..b\"",
	  "1:31: error: `probe-names` takes text in double quotes",
	  "1:34: error: `probe-names` cannot be \"192.0.2.1\"" }, 3 },
	{ "relay { via = \"192.0.2.1\" }", { "1:15: error: `via` cannot be "
	  "\"192.0.2.1\"", "; an address is written in [ ]" }, 1 },
	{ "relay { via = \"[192.0.2.1\" }", { "1:15: error: `via` cannot be" },
	  1 },
	{ "relay { via = \"[192.0.2.1]25\" }", { "`via` cannot be" }, 1 },
	{ "relay { via = \"[192.0.2.1]:\" }", { "`via` cannot be" }, 1 },
	{ "relay { via = \"a.example:99999\" }", { "`via` cannot be" }, 1 },
	{ "relay { via = \"[]:25\" }", { "`via` cannot be" }, 1 },
	{ "accept { domain \"a.example\" { to = \"smtp:\"; recipients = \"any\" "
	  "} }", { "1:36: error: `to` cannot be \"smtp:\"" }, 1 },
	{ "accept { domain \"a.example\" { to = \"discard:x\"; recipients = "
	  "\"any\" } }", { "`to` cannot be \"discard:x\"" }, 1 },
	{ "relay { domain \"a.*.example\" { } }", { "1:16: error: domain "
	  "\"a.*.example\" is no domain; allowed" }, 1 },
	{ "relay { domain \"*.\" { } }", { "is no domain" }, 1 },
	{ "relay { domain \"\" { } }", { "is no domain" }, 1 },
	{ "listen \"\" { }", { "1:8: error: listen \"\" is no name" }, 1 },

	/* ---- shape ---- */
	{ "limits = 5", { "1:1: error: `limits` is written as limits { ... }" },
	  1 },
	{ "limits \"x\" { }", { "`limits` is written as limits { ... }" }, 1 },
	{ "listen { }", { "`listen` is written as listen \"name\" { ... }" },
	  1 },
	{ "hostname { a = 1 }", { "1:1: error: `hostname` is no block: write "
	  "hostname = VALUE; allowed: a domain name" }, 1 },
	{ "hostname = \"a.example\" port = 5", { "1:24: error: a statement "
	  "ends at the end of its line or at `;`, not `port`" }, 1 },
	{ "log { } state { }", { "1:9: error: a statement ends" }, 1 },
	{ "hostname\n= 5", { "1:9: error: expected `=` or `{` after the key, "
	  "not the end of the statement",
	  "2:1: error: expected a key or a block's name, not `=`" }, 2 },
	{ "listen \"x\"\n{ }", { "1:11: error: expected `{` after the label",
	  "2:1: error: expected a key or a block's name, not `{`" }, 2 },
	{ "hostname =\n", { "1:11: error: expected a value, not the end of the "
	  "statement" }, 1 },
	{ "limits { recipients = 5", { "1:1: error: this block is never closed "
	  "by `}`" }, 1 },
	{ "}\nlimits { recipients = x }", { "1:1: error: a `}` with no block "
	  "open", "2:23: error: `recipients` cannot be x" }, 2 },
	{ "\"x\" = 5", { "1:1: error: expected a key or a block's name, not a "
	  "string" }, 1 },
	{ "dns { forward = [ \"192.0.2.1\" \"192.0.2.2\" ] }", { "1:31: error: "
	  "expected `,` or `]` in the list, not a string" }, 1 },
	{ "dns { forward = [ \"192.0.2.1\"\n}\nport = 5", { "2:1: error: "
	  "expected `,` or `]` in the list, not `}`", "3:1: error: unknown key "
	  "`port`" }, 2 },
	{ "dns { forward = [ , ] }", { "1:19: error: expected a list's value "
	  "or `]`, not `,`" }, 1 },
	{ "include = 5", { "1:1: error: an include stands on a line of its "
	  "own" }, 1 },

	/* ---- bytes ---- */
	{ "hostname = \"abc\nlog { format = 5 }", { "1:12: error: the string "
	  "has no closing quote on this line", "2:16: error: `format`" }, 2 },
	{ "hostname = 'a.example'", { "1:12: error: strings are written in "
	  "double quotes" }, 1 },
	{ "hostname = \"a\\qb\"", { "1:12: error: unknown escape in a string" },
	  1 },
	{ "hostname = \"a\001b\"", { "1:12: error: a control byte in a string" },
	  1 },
	{ "hostname = \"a\xc3(\"", { "1:12: error: the string is not valid "
	  "UTF-8" }, 1 },
	{ "hostname = \"\xed\xa0\x80\"", { "is not valid UTF-8" }, 1 },
	{ "hostname = \"\xf5\x80\x80\x80\"", { "is not valid UTF-8" }, 1 },
	{ "h\xc3\xb6st = 5", { "1:2: error: a character that means nothing here" }, 1 },
	{ "state { directory = /var/lib }", { "1:21: error: a character that "
	  "means nothing here; texts are written in double quotes" }, 1 },
	/* columns count characters, not bytes */
	{ "hostname = \"\xc3\xa4\xc3\xa4.example\"; port = 1",
	  { "t.conf:1:26: error: unknown key `port`" }, 1 },

	/* ---- all of them in one run ---- */
	{ "limits { recipients = 0 }\nfoo = 1\nlog { format = 5 }\npolcy {}\n"
	  "hostname = 5", { "t.conf:1:23: error", "t.conf:2:1: error",
	  "t.conf:3:16: error", "t.conf:4:1: error", "t.conf:5:12: error" },
	  5 },
};

START_TEST(bad)
{
	const struct row *row = &rows[_i];
	struct conf_notes notes = { 0 };
	struct conf *c = conf_from(row->text, strlen(row->text), &notes);
	char said[8192] = "";
	const char *at = said;

	conf_notes_text(&notes, said, sizeof said);
	ck_assert_msg(c == NULL, "taken: %s", row->text);
	for (size_t i = 0; i < 5 && row->said[i] != NULL; i++) {
		const char *hit = strstr(at, row->said[i]);

		ck_assert_msg(hit != NULL, "%s\nmisses: %s\nsaid: %s",
		    row->text, row->said[i], said);
		at = hit;
	}
	if (row->errors != 0)
		ck_assert_msg(notes.nerrors == row->errors, "%s\nsaid: %s",
		    row->text, said);
	conf_notes_free(&notes);
}
END_TEST

/* A NUL byte is an error at its place, not the end of the text. */
START_TEST(nul_byte)
{
	static const char text[] = "log { }\n\0\nfoo = 1";
	struct conf_notes notes = { 0 };

	ck_assert_ptr_null(conf_from(text, sizeof text - 1, &notes));
	ck_assert_uint_eq(notes.n, 2);
	ck_assert_uint_eq(notes.v[0].line, 2);
	ck_assert_uint_eq(notes.v[1].line, 3);
	conf_notes_free(&notes);
}
END_TEST

/* However wrong a file is, the complaints stay few. */
START_TEST(too_many_errors)
{
	struct conf_notes notes = { 0 };
	struct buf b;

	buf_init(&b, 1u << 20);
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(buf_str(&b, "foo = 1\n"), 0);
	ck_assert_ptr_null(conf_from(buf_get(&b).p, b.len, &notes));
	ck_assert_uint_le(notes.n, 110);
	ck_assert_ptr_nonnull(strstr(notes.v[notes.n - 1].text,
	    "too many errors"));
	conf_notes_free(&notes);
	buf_free(&b);
}
END_TEST

/* Deep nesting and endless tokens end in an error, not in the stack. */
static const struct {
	const char	*piece;
	size_t		 times;
} floods[] = {
	{ "{", 200000 }, { "[", 200000 }, { "a { ", 200000 },
	{ "relay { ", 100000 }, { "}", 200000 }, { "\"", 200001 },
	{ "a", 1000000 }, { "log { ", 150000 }, { "dns { forward = [ ", 50000 },
	{ "tls { ", 100000 }, { "include ", 100000 }, { "\\", 1000000 },
	{ "\"\\\\", 300000 },
};

START_TEST(flood)
{
	struct conf_notes notes = { 0 };
	struct buf b;

	buf_init(&b, 4u << 20);
	for (size_t i = 0; i < floods[_i].times; i++)
		buf_str(&b, floods[_i].piece);
	ck_assert(!b.failed);
	ck_assert_ptr_null(conf_from(buf_get(&b).p, b.len, &notes));
	ck_assert_uint_ge(notes.nerrors, 1);
	conf_notes_free(&notes);
	buf_free(&b);
}
END_TEST

START_TEST(long_list)
{
	struct conf_notes notes = { 0 };
	struct buf b;

	buf_init(&b, 1u << 20);
	buf_str(&b, "listen \"a\" { relay-from = [");
	for (int i = 0; i < 5000; i++)
		buf_str(&b, "\"192.0.2.1\",");
	ck_assert_int_eq(buf_str(&b, "] }\nfoo = 1"), 0);
	ck_assert_ptr_null(conf_from(buf_get(&b).p, b.len, &notes));
	ck_assert_uint_eq(notes.n, 2);
	ck_assert_ptr_nonnull(strstr(notes.v[0].text, "more than 4096 items"));
	ck_assert_uint_eq(notes.v[1].line, 2);
	conf_notes_free(&notes);
	buf_free(&b);
}
END_TEST

/* A bundle comes from the parent; damaged, it is refused and no more. */
static const char *const bundles[] = {
	"", "sealane-conf 2\n", "sealane-conf 1\n",
	"sealane-conf 1\nmachine a.example 1",
	"sealane-conf 1\nmachine  1\n",
	"sealane-conf 1\nmachine a..b 1\n",
	"sealane-conf 1\nmachine a.example x\n",
	"sealane-conf 1\nmachine a.example 1 1\n",
	"sealane-conf 1\nmachine a.example 1\npart 0 1 1 5 f\nabc\n",
	"sealane-conf 1\nmachine a.example 1\npart 0 1 1 2 f\nabc\n",
	"sealane-conf 1\nmachine a.example 1\npart 0 1 1 3 f\nabc",
	"sealane-conf 1\nmachine a.example 1\npart 0 1 1 99999999999999999999 "
	"f\n\n",
	"sealane-conf 1\nmachine a.example 1\npart 0 1 1 1 f\n\n\njunk",
};

START_TEST(damaged)
{
	struct conf_notes notes = { 0 };

	ck_assert_ptr_null(conf_parse(span_str(bundles[_i]), &notes));
	ck_assert_uint_ge(notes.nerrors, 1);
	ck_assert_ptr_nonnull(strstr(notes.v[0].text, "damaged"));
	conf_notes_free(&notes);
}
END_TEST

/* Cut anywhere, a file gives errors or a configuration, never a crash. */
START_TEST(every_prefix)
{
	static const char text[] = "hostname = \"mx.example\"\nlisten \"a\" {\n"
	    "relay-from = [ \"192.0.2.0/24\", ]; tls = \"none\" }\naccept { "
	    "domain \"*.b\xc3\xbc.example\" { to = \"smtp:[192.0.2.1]:25\"\n"
	    "recipients = \"any\" } } # end\nlimits { message-size = 5M }\n";

	for (size_t n = 0; n < sizeof text; n++) {
		struct conf_notes notes = { 0 };
		struct conf *c = conf_from(text, n, &notes);

		ck_assert((c == NULL) == (notes.nerrors > 0));
		conf_free(&c);
		conf_notes_free(&notes);
	}
}
END_TEST

#define ROWS(a)	((int)(sizeof(a) / sizeof((a)[0])))

int
main(void)
{
	Suite *s = suite_create("conf_bad");
	TCase *t = tcase_create("errors");

	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, bad, 0, ROWS(rows));
	tcase_add_test(t, nul_byte);
	tcase_add_test(t, too_many_errors);
	tcase_add_loop_test(t, flood, 0, ROWS(floods));
	tcase_add_test(t, long_list);
	tcase_add_loop_test(t, damaged, 0, ROWS(bundles));
	tcase_add_test(t, every_prefix);
	suite_add_tcase(s, t);
	return suite_run(s);
}
