/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/peer.c - `sealane peer`: what is remembered of a host or domain, and away
 * with it. */
#include <string.h>

#include "base/control.h"
#include "cli/cli.h"

static void
take(void *arg, const json_t *line)
{
	json_t **answer = arg;

	if (json_object_get(line, "name") != NULL)
		*answer = json_incref((json_t *)(uintptr_t)line);
}

static void
print_words(const json_t *list)
{
	const json_t *word;
	size_t i;

	json_array_foreach(list, i, word)
		printf(" %s", json_string_value(word));
}

static void
print_known(const char *as, const json_t *p)
{
	if (!json_is_object(p))
		return;
	printf("As a %s: %lld TLS sessions on %lld days, first %s, last %s,",
	    as, (long long)json_integer_value(json_object_get(p, "sessions")),
	    (long long)json_integer_value(json_object_get(p, "days")),
	    cli_string_in(p, "first"), cli_string_in(p, "last"));
	print_words(json_object_get(p, "versions"));
	printf("; TLS is %sexpected of it.\n",
	    json_is_true(json_object_get(p, "tls_expected")) ? "" : "not ");
	if (json_is_string(json_object_get(p, "spki")))
		printf("  Its last key: %s\n", cli_string_in(p, "spki"));
}

static void
print_loss(const json_t *l)
{
	if (!json_is_object(l))
		return;
	printf("TLS is not to be had since %s, last seen so %s; ",
	    cli_string_in(l, "since"), cli_string_in(l, "last"));
	if (json_is_true(json_object_get(l, "accepted")))
		puts("the loss is accepted until TLS is seen again.");
	else if (json_is_string(json_object_get(l, "held_until")))
		printf("mail is held until %s.\n",
		    cli_string_in(l, "held_until"));
	else
		puts("see policy.memory.on-loss.");
}

static int
print_peer(const json_t *answer)
{
	const json_t *finding;
	size_t i;

	printf("%s\n", cli_string_in(answer, "name"));
	print_known("host", json_object_get(answer, "host"));
	print_known("domain", json_object_get(answer, "domain"));
	print_loss(json_object_get(answer, "loss"));
	json_array_foreach(json_object_get(answer, "findings"), i, finding)
		printf("%s %s at %s: %s, %s\n", cli_string_in(finding, "time"),
		    cli_string_in(finding, "kind"),
		    cli_string_in(finding, "mx"),
		    cli_string_in(finding, "class"),
		    cli_string_in(finding, "action"));
	return fflush(stdout) == EOF ?
	    cli_fail("cannot write to standard output") : CLI_OK;
}

static int
ask(const struct conf *conf, const char *cmd, const char *name,
    json_t **answer)
{
	struct fault f = { 0 };
	char lower[256];
	int rc;

	(void)span_copy(span_str(name), lower, sizeof lower);
	for (char *p = lower; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	rc = control_call(conf, "policy", json_pack("{s:s, s:s}", "cmd", cmd,
	    "name", lower), take, answer, &f);
	if (rc != CLI_OK)
		(void)cli_fail("%s", f.text);
	return rc;
}

int
cli_peer(const struct conf *conf, int argc, char **argv)
{
	bool json = false, forget = argc > 1 && strcmp(argv[1], "forget") == 0;
	json_t *answer = NULL;
	const char *name = NULL;
	int rc;

	for (int i = forget ? 2 : 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0 && !forget)
			json = true;
		else if (name == NULL && argv[i][0] != '-')
			name = argv[i];
		else
			name = "";
	}
	if (name == NULL || name[0] == '\0')
		return cli_usage("usage: sealane peer NAME [--json], "
		    "sealane peer forget NAME");
	rc = ask(conf, forget ? "forget" : "peer", name, &answer);
	if (rc != CLI_OK || forget)
		return rc;
	rc = json ? cli_json(json_incref(answer)) : print_peer(answer);
	json_decref(answer);
	return rc;
}
