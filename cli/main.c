/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/main.c - from arguments to a command, by one table.
 *
 * The same binary is every role: what the parent re-executes has an argv[0]
 * that no person types, and never comes as far as the table. */
#include <stdlib.h>
#include <string.h>

#include "base/proctitle.h"
#include "cli/cli.h"
#include "parent/parent.h"

static const struct cli_command commands[] = {
	{ "serve", CONF_NOT, cli_serve, "serve",
	  "run the relay in the foreground",
	  "Listens, relays and logs (to standard error, or log.target) "
	  "until\nSIGTERM or SIGINT.\n" },
	{ "check", CONF_NOT, cli_check, "check [--strict]",
	  "say what is wrong with the configuration and this machine",
	  "Prints every error and warning as file:line:column, looks at\n"
	  "directories and ports, and says what isolation the roles get.\n"
	  "Ends with 1 when there are errors; with --strict also when there\n"
	  "are warnings.\n" },
	{ "queue", CONF_NEEDED, cli_queue,
	  "queue list [SELECTION] [--json]\n"
	  "       queue show ID [--body | --json]\n"
	  "       queue flush|hold|release|drop|bounce [ID ...] [SELECTION]\n"
	  "       queue damaged [[--forget] FILE | FILE:OFFSET] [--json]\n"
	  "       queue export [--drop] [ID ...] [SELECTION] > FILE\n"
	  "       queue import [--json] < FILE",
	  "messages that wait, and what to do with them",
	  "SELECTION: --domain D, --sender S, --site S, --older AGE, --reason "
	  "TEXT (in the\nlast answer), --state active|deferred|held; different "
	  "ones combine with \"and\".\nflush tries now; hold keeps until "
	  "release; bounce reports failure to the sender;\nwhat is dropped is "
	  "gone, and nobody is told.\nexport writes what is held, for import on "
	  "another machine.  sealane-queue(8) says more.\n"
	},
	{ "report", CONF_NOT, cli_report,
	  "report [--since T] [--until T] [--by domain|level|day]\n"
	  "       [--direction in|out|both] [--format table|json] [--json]\n"
	  "       [--fail-below PCT] [--from-log FILE ...]",
	  "how much mail travels encrypted, and to whom not",
	  "Times are 2026-01-02, 2026-01-02T03:04 (UTC) or an age such as "
	  "7d,\nwhich is the default for --since.  Without more it is by domain "
	  "and in both\ndirections.  Ends with 1 when less than PCT percent of "
	  "recipients were\nreached encrypted.\n--from-log reads logs of Postfix "
	  "or Exim instead of the ledger, needs no\nconfiguration, and takes all "
	  "of them without --since; - is standard input.\n" },
	{ "events", CONF_NEEDED, cli_events, "events [--since T] [--follow] [--json]",
	  "what was found wrong with the protection of hops",
	  "One line a finding: when, what, where, what was expected, and what "
	  "followed.\nThe default of --since is 7d; --follow goes on until it "
	  "is interrupted, with\n--json a document a line.  With --json the "
	  "evidence is there as well.\n" },
	{ "explain", CONF_IF_THERE, cli_explain, "explain ADDRESS|DOMAIN [--json]",
	  "what would be done with mail for a domain, and why",
	  "The running relay looks up what it would look up, and says each "
	  "step: the DNS and\nwhat DNSSEC says of it, hosts and their TLSA "
	  "records, the MTA-STS policy, what is\nremembered, and the decision.  "
	  "Nothing is sent.  When no relay runs, its\nresolver and policy are "
	  "started for this one answer.\n" },
	{ "peer", CONF_NEEDED, cli_peer, "peer NAME [--json]\n"
	  "       peer forget NAME\n"
	  "       peer except NAME --until TIME|DURATION --why TEXT\n"
	  "       peer except NAME --end\n"
	  "       peer except [--json]",
	  "what is remembered of a next hop or domain, and exceptions for it",
	  "NAME is an MX host or a recipient domain.  What is forgotten is "
	  "learnt anew from\nTLS sessions; until then TLS is not expected of "
	  "it.  An exception asks nothing of\nit until a time (2026-01-02, "
	  "2026-01-02T03:04Z) or for a while (8h, 30d), and is\nshown in "
	  "every report; alone, `except` lists those that hold.\n" },
	{ "cert", CONF_NEEDED, cli_cert,
	  "cert [show | tlsa] [--json]\n"
	  "       cert renew\n"
	  "       cert import CHAIN KEY",
	  "the relay's own certificates and what to publish about them",
	  "show prints all that is in state/keys, the next keys among them;\n"
	  "tlsa prints the DNS records that let others verify them, fit for a\n"
	  "zone file.  renew puts the next keys in the place of those in use; "
	  "import puts a\ncertificate there that an authority has signed, with "
	  "its key (PEM).  A running relay\nshows them to new sessions at once.\n" },
	{ "upgrade", CONF_NEEDED, cli_upgrade, "upgrade",
	  "let the running relay become the program that is installed now",
	  "The new program first checks the configuration.  Then the running "
	  "one drains and\nthe new one takes its place, in the same process; "
	  "who connects meanwhile waits\nand is not refused.\n" },
	{ "version", CONF_NOT, cli_version, "version",
	  "the version of sealane", NULL },
};
#define NCOMMANDS	(sizeof commands / sizeof commands[0])

static void
print_usage(FILE *f)
{
	fputs("usage: sealane [-c FILE] COMMAND [ARGUMENTS]\n\ncommands:\n", f);
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].brief);
	fprintf(f, "\n-c FILE names the configuration; without it %s.\n"
	    "sealane COMMAND --help says more about one.\n", cli_conf_path());
}

static int
command_help(const struct cli_command *c)
{
	printf("usage: sealane [-c FILE] %s\n\n", c->usage);
	if (c->help != NULL)
		fputs(c->help, stdout);
	else
		printf("%s: %s.\n", c->name, c->brief);
	return fflush(stdout) == EOF ? CLI_BAD : CLI_OK;
}

static const struct cli_command *
find(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Takes -c FILE and -cFILE out of argv, wherever they are; what stands behind
 * `--` is left alone.  Returns the new argc, or -1. */
static int
take_conf_path(int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (i > 0 && strcmp(argv[i], "--") == 0) {
			while (i < argc)
				argv[kept++] = argv[i++];
			break;
		}
		if (i == 0 || strncmp(argv[i], "-c", 2) != 0) {
			argv[kept++] = argv[i];
			continue;
		}
		if (argv[i][2] == '\0' && i + 1 == argc)
			return cli_usage("-c needs the name of a file"), -1;
		cli_set_conf_path(argv[i][2] != '\0' ? argv[i] + 2 : argv[++i]);
	}
	argv[kept] = NULL;
	return kept;
}

static bool
has_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int
run(const struct cli_command *c, int argc, char **argv)
{
	struct conf *conf = NULL;
	int rc = CLI_USAGE;

	if (c->conf == CONF_IF_THERE)
		cli_allow_no_conf();
	if (c->conf != CONF_NOT)
		conf = cli_conf_load();
	if (conf != NULL || c->conf == CONF_NOT)
		rc = c->run(conf, argc, argv);
	conf_free(&conf);
	return rc;
}

int
cli_serve(const struct conf *conf, int argc, char **argv)
{
	char *path;
	int rc;

	(void)conf;
	if (argc > 1)
		return cli_usage("serve takes no argument `%s`", argv[1]);
	/* The title takes the place of the arguments, the path among them. */
	path = strdup(cli_conf_path());
	if (path == NULL)
		return cli_fail("no memory");
	proctitle_set("sealane: parent 1");
	rc = parent_serve(path);
	free(path);
	return rc;
}

int
cli_version(const struct conf *conf, int argc, char **argv)
{
	(void)conf;
	if (argc > 1)
		return cli_usage("version takes no argument `%s`", argv[1]);
	return printf("sealane %s\n", SEALANE_VERSION) < 0 ||
	    fflush(stdout) == EOF ? CLI_BAD : CLI_OK;
}

int
main(int argc, char **argv)
{
	static const char role[] = "sealane: ";
	const struct cli_command *c;

	proctitle_init(argc, argv);
	if (argc > 0 && strncmp(argv[0], role, sizeof role - 1) == 0)
		return roles_main(argc, argv);
	argc = take_conf_path(argc, argv);
	if (argc < 0)
		return CLI_USAGE;
	if (argc < 2) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(NULL, 1, argv);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return fflush(stdout) == EOF ? CLI_BAD : CLI_OK;
	}
	c = find(argv[1]);
	if (c == NULL) {
		cli_usage("no command `%s`; sealane --help lists them",
		    argv[1]);
		return CLI_USAGE;
	}
	argc--, argv++;
	return has_help(argc, argv) ? command_help(c) : run(c, argc, argv);
}
