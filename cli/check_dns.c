/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/check_dns.c - sealane check: do signatures of DNSSEC come through?  The
 * running relay knows; without one nothing is said against the machine. */
#include <string.h>

#include "base/control.h"
#include "cli/check.h"

static void
take(void *arg, const json_t *line)
{
	json_t **answer = arg;

	if (json_object_get(line, "state") != NULL)
		*answer = json_incref((json_t *)(uintptr_t)line);
}

/* Where the servers are named, or would be. */
static struct conf_place
place_of(const struct conf *c)
{
	struct conf_place at = { c->file, 1, 1 };

	(void)conf_where(c, "dns", "forward", NULL, &at);
	return at;
}

static void
complain(const struct conf *c, const json_t *d, struct conf_notes *notes)
{
	const char *reason = cli_string_in(d, "reason");

	if (strcmp(cli_string_in(d, "effect"), "held") == 0)
		conf_warn(notes, place_of(c), "signatures of DNSSEC came "
		    "through once and no longer do (%.100s): all mail by the "
		    "DNS waits; see dns.on-dishonest", reason);
	else
		conf_warn(notes, place_of(c), "signatures of DNSSEC do not "
		    "come through (%.100s): DANE is off; take resolvers that "
		    "pass them on, or none to ask the authoritative servers",
		    reason);
}

void
check_dns(const struct conf *c, struct conf_notes *notes)
{
	json_t *d = NULL;
	struct fault f = { 0 };

	if (control_call(c, "policy", json_pack("{s:s}", "cmd", "dns"), take,
	    &d, &f) != CLI_OK || d == NULL) {
		printf("dns: whether signatures come through is known to the "
		    "running relay: %s\n", f.text);
		return;
	}
	printf("dns: the resolvers are %s", cli_string_in(d, "state"));
	if (json_is_string(json_object_get(d, "since")))
		printf(", since %s", cli_string_in(d, "since"));
	if (json_is_string(json_object_get(d, "reason")))
		printf(" (%s)", cli_string_in(d, "reason"));
	putchar('\n');
	if (strcmp(cli_string_in(d, "state"), "dishonest") == 0)
		complain(c, d, notes);
	json_decref(d);
}
