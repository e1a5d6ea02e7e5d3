/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/peer.c - `sealane peer`: what is remembered of a host or domain, and away
 * with it; what else is done with one has a file of its own. */
#include <string.h>

#include "base/control.h"
#include "cli/peer_impl.h"

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

static void
print_exception(const json_t *x)
{
	if (json_is_object(x))
		printf("An exception holds until %s: %s\n",
		    cli_string_in(x, "until"), cli_string_in(x, "why"));
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
	print_exception(json_object_get(answer, "exception"));
	json_array_foreach(json_object_get(answer, "findings"), i, finding)
		printf("%s %s at %s: %s, %s\n", cli_string_in(finding, "time"),
		    cli_string_in(finding, "kind"),
		    cli_string_in(finding, "mx"),
		    cli_string_in(finding, "class"),
		    cli_string_in(finding, "action"));
	return fflush(stdout) == EOF ?
	    cli_fail("cannot write to standard output") : CLI_OK;
}

int
cli_ask_of_peer(const struct conf *conf, const char *cmd, const char *name,
    json_t *more, json_t **answer)
{
	json_t *request = json_pack("{s:s, s:o}", "cmd", cmd, "name",
	    cli_json_text(name));
	struct fault f = { 0 };
	int rc;

	if (more != NULL)
		(void)json_object_update_missing(request, more);
	json_decref(more);
	rc = control_call(conf, "policy", request, take, answer, &f);
	if (rc != CLI_OK)
		(void)cli_fail("%s", f.text);
	return rc;
}

static int
forget(const struct conf *conf, int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-')
		return cli_usage("usage: sealane peer forget NAME");
	return cli_ask_of_peer(conf, "forget", argv[1], NULL, NULL);
}

static int
show(const struct conf *conf, int argc, char **argv)
{
	json_t *answer = NULL;
	const char *name = NULL;
	bool json = false;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (name == NULL && argv[i][0] != '-')
			name = argv[i];
		else
			name = "";
	}
	if (name == NULL || name[0] == '\0')
		return cli_usage("usage: sealane peer NAME [--json], "
		    "sealane peer forget NAME, sealane peer except NAME ...");
	rc = cli_ask_of_peer(conf, "peer", name, NULL, &answer);
	if (rc != CLI_OK)
		return rc;
	rc = json ? cli_json(json_incref(answer)) : print_peer(answer);
	json_decref(answer);
	return rc;
}

static const struct {
	const char	*word;
	int		(*run)(const struct conf *, int argc, char **argv);
} actions[] = {
	{ "forget", forget },
	{ "except", cli_peer_except },
};

int
cli_peer(const struct conf *conf, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof actions[0];
	    i++)
		if (strcmp(argv[1], actions[i].word) == 0)
			return actions[i].run(conf, argc - 1, argv + 1);
	return show(conf, argc, argv);
}
