/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/explain.c - `sealane explain`: what would be done with mail for a domain,
 * and why.  The running relay says it, from what it knows now; without one, a
 * start aside. */
#include <string.h>

#include "cli/cli.h"
#include "cli/policy_ask.h"

static json_int_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
flag(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static void
print_reason(const json_t *o)
{
	if (json_is_string(json_object_get(o, "reason")))
		printf(": %s", cli_string_in(o, "reason"));
	putchar('\n');
}

static void
print_honesty(const json_t *r)
{
	if (!json_is_object(r))
		return;
	printf("  signatures of DNSSEC: %s",
	    strcmp(cli_string_in(r, "state"), "honest") == 0 ?
	    "they come through" :
	    strcmp(cli_string_in(r, "effect"), "held") == 0 ?
	    "they came through once and no longer do, no answer counts" :
	    strcmp(cli_string_in(r, "effect"), "dane-off") == 0 ?
	    "they do not come through, DANE is off" :
	    "not known whether they come through");
	print_reason(r);
}

static void
print_way(const json_t *d)
{
	const json_t *server, *servers = json_object_get(d, "forwarders");
	size_t i;

	printf("Way: %s%s%s\n", cli_string_in(d, "rule"),
	    flag(d, "by_configuration") ? ", by the configuration, to " :
	    " of ", cli_string_in(d, "next_hop"));
	printf("DNS, validated here, from");
	json_array_foreach(servers, i, server)
		printf(" %s", json_string_value(server));
	printf("%s, by %s:\n", json_array_size(servers) == 0 ?
	    " the authoritative servers" : "", flag(d, "daemon") ?
	    "the running relay" : "roles that were started to ask");
	print_honesty(json_object_get(d, "resolver"));
}

static void
print_lookup(const json_t *l)
{
	const json_t *records = json_object_get(l, "records"), *r;
	size_t i;

	printf("  %s %s: %s, ttl %lld", cli_string_in(l, "type"),
	    cli_string_in(l, "name"), cli_string_in(l, "dnssec"),
	    (long long)number(l, "ttl"));
	if (number(l, "rcode") == 3)
		printf(", no such name");
	else if (json_array_size(records) == 0)
		printf(", no records");
	if (json_is_string(json_object_get(l, "canonical")) &&
	    strcmp(cli_string_in(l, "canonical"), cli_string_in(l, "name")) != 0)
		printf(", an alias of %s", cli_string_in(l, "canonical"));
	print_reason(l);
	json_array_foreach(records, i, r)
		printf("    %s\n", json_string_value(r));
}

static void
print_sts(const json_t *s)
{
	char age[CLI_TEXT];

	if (!json_is_object(s))
		return;
	printf("MTA-STS: record %s", cli_string_in(s, "record"));
	if (json_is_string(json_object_get(s, "mode")))
		printf(", policy %s, id %s, fetched %s ago, expires %s",
		    cli_string_in(s, "mode"), cli_string_in(s, "id"),
		    cli_age((uint64_t)number(s, "age") * 1000, age),
		    cli_string_in(s, "expires"));
	else
		printf(", no policy");
	print_reason(s);
}

static void
print_memory(const json_t *m)
{
	static const char *const kinds[] = { "host", "domain" };

	if (!json_is_object(m))
		return;
	for (int i = 0; i < 2; i++) {
		const json_t *p = json_object_get(m, kinds[i]);

		if (json_is_object(p))
			printf("    memory of the %s: %lld TLS sessions since "
			    "%s, last %s\n", kinds[i],
			    (long long)number(p, "sessions"),
			    cli_string_in(p, "first"), cli_string_in(p, "last"));
	}
	if (json_is_object(json_object_get(m, "loss")))
		printf("    TLS was lost at %s, mail is held until %s\n",
		    cli_string_in(json_object_get(m, "loss"), "since"),
		    cli_string_in(json_object_get(m, "loss"), "held_until"));
	printf("    memory asks: %s\n", cli_string_in(m, "asks"));
}

static void
print_rule(const json_t *r)
{
	if (json_is_object(r))
		printf("    policy.domain: require %s, permit %s\n",
		    cli_string_in(r, "require"), cli_string_in(r, "permit"));
}

static void
print_host(const json_t *h)
{
	const json_t *tlsa, *x, *lists = json_object_get(h, "sts_lists");
	size_t i;

	printf("  %lld %s, port %lld, DANE: %s\n",
	    (long long)number(h, "preference"), cli_string_in(h, "name"),
	    (long long)number(h, "port"), cli_string_in(h, "dane"));
	json_array_foreach(json_object_get(h, "tlsa"), i, tlsa) {
		printf("    TLSA %s: %s", cli_string_in(tlsa, "record"),
		    cli_string_in(tlsa, "use"));
		print_reason(tlsa);
	}
	if (json_is_boolean(lists))
		printf("    the MTA-STS policy %s it\n", json_is_true(lists) ?
		    "lists" : "does not list");
	print_memory(json_object_get(h, "memory"));
	x = json_object_get(h, "exception");
	if (json_is_object(x))
		printf("    an exception for %s until %s: %s\n",
		    cli_string_in(x, "name"), cli_string_in(x, "until"),
		    cli_string_in(x, "why"));
	print_rule(json_object_get(h, "rule"));
	printf("    asked: %s (%s): %s\n", cli_string_in(h, "asked"),
	    cli_string_in(h, "why"), cli_string_in(h, "decision"));
}

static int
print_text(const json_t *d)
{
	const json_t *one;
	size_t i;

	print_way(d);
	json_array_foreach(json_object_get(d, "lookups"), i, one)
		print_lookup(one);
	print_sts(json_object_get(d, "sts"));
	if (json_array_size(json_object_get(d, "hosts")) > 0)
		puts("Hosts:");
	json_array_foreach(json_object_get(d, "hosts"), i, one)
		print_host(one);
	printf("%s\n", cli_string_in(d, "decision"));
	return fflush(stdout) == EOF ?
	    cli_fail("cannot write to standard output") : CLI_OK;
}

static int
explain(const struct conf *conf, const char *domain, bool json)
{
	struct policy_ask ask;
	json_t *answer;
	int rc = policy_ask_begin(&ask, conf);

	if (rc != CLI_OK)
		return rc;
	answer = policy_ask_explain(&ask, domain, &rc);
	policy_ask_end(&ask);
	if (answer != NULL)
		rc = json ? cli_json(json_incref(answer)) : print_text(answer);
	json_decref(answer);
	return rc;
}

int
cli_explain(const struct conf *conf, int argc, char **argv)
{
	const char *name = NULL, *at;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (name == NULL && argv[i][0] != '-')
			name = argv[i];
		else
			return cli_usage("usage: sealane explain "
			    "ADDRESS|DOMAIN [--json]");
	}
	if (name == NULL)
		return cli_usage("usage: sealane explain ADDRESS|DOMAIN "
		    "[--json]");
	at = strrchr(name, '@');
	return explain(conf, at != NULL ? at + 1 : name, json);
}
