// postroom, the command line of one installation. Exit status: 0 done, 1 refused or failed (why is on standard error), 2 wrong usage.

#include <CLI/CLI.hpp>
#include <functional>

#include "api/cli/commands.hpp"
#include "api/cli/config.hpp"
#include "api/cli/init.hpp"

namespace {

using namespace postroom::cli;

// The chosen subcommand leaves here what is to be run.
using Chosen = std::function<int()>;

void add_setup(CLI::App& app, Frame& frame, Chosen& chosen) {
  auto options = std::make_shared<InitOptions>();
  auto* init = app.add_subcommand("init", "make a home: folders, secrets, ports, configuration, the broker's files");
  init->add_flag("--force-ports", options->force_ports, "choose the loopback ports anew; stop everything first");
  init->add_flag("--force-config", options->force_config, "write etc/postroom.toml anew; values stay, own comments go");
  init->add_flag("--force-master-key", options->force_master_key, "mint a new master key; connections' secrets must be entered again");
  init->callback([&frame, &chosen, options] {
    options->home = frame.home;
    chosen = [options] { return run_init(*options); };
  });
  auto* config = app.add_subcommand("config", "the configuration")->require_subcommand(1);
  config->add_subcommand("check", "every key in force, its source, and what is wrong")->callback([&] {
    chosen = [&frame] { return run_config_check(frame.home); };
  });
}

void add_looking(CLI::App& app, Frame& frame, Chosen& chosen) {
  app.add_subcommand("status", "health of every process of this host")->callback([&] { chosen = [&frame] { return run_status(frame); }; });
  app.add_subcommand("queues", "depth, consumers and rates of the broker's queues")->callback([&] { chosen = [&frame] { return run_queues(frame); }; });
  auto* trace = app.add_subcommand("trace", "the whole life of a thing, with times since its first byte");
  auto id = std::make_shared<std::string>();
  trace->add_option("id", *id, "of a ticket, arrival, command, delivery, standby item or external ticket; or a mail's Message-ID")->required();
  trace->callback([&frame, &chosen, id] { chosen = [&frame, id] { return run_trace(frame, *id); }; });
}

void add_ticket(CLI::App& app, Frame& frame, Chosen& chosen) {
  auto* ticket = app.add_subcommand("ticket", "tickets")->require_subcommand(1);
  auto* create = ticket->add_subcommand("create", "post a ticket to a board; prints the promised id");
  auto draft = std::make_shared<TicketDraft>();
  create->add_option("--board", draft->board, "its id or name")->required();
  create->add_option("--title", draft->title, "one line")->required();
  create->add_option("--description", draft->description, "plain text");
  create->add_option("--email", draft->email, "who asks");
  create->add_option("--name", draft->name, "who asks");
  create->add_option("--priority", draft->priority, "low, normal, high or urgent");
  create->add_option("--key", draft->idempotency_key, "Idempotency-Key, to repeat a ticket that was not promised");
  create->callback([&frame, &chosen, draft] { chosen = [&frame, draft] { return run_ticket_create(frame, *draft); }; });
}

void add_mail(CLI::App& app, Frame& frame, Chosen& chosen) {
  auto* mail = app.add_subcommand("mail", "mails")->require_subcommand(1);
  auto* explain = mail->add_subcommand("explain", "what Postroom makes of mails in files; needs no running Postroom");
  explain->footer(
      "Exit status: 0 every file was explained, mails that break the parser (verdict unparsable) among them; 1 a file could not be read (told in its place, "
      "with verdict unparsable too), or the home, the inbox or the parser is not there; 2 wrong usage.");
  auto pick = std::make_shared<MailPick>();
  explain->add_option("files", pick->files, "raw mails (.eml)")->required();
  explain->add_flag("--jsonl", pick->as_jsonl, "one JSON object a line for each mail, in the order given");
  explain->add_option("--inbox", pick->inbox, "the inbox that they came to (id or name); default: by their recipients");
  explain->callback([&frame, &chosen, pick] { chosen = [&frame, pick] { return run_mail_explain(frame, *pick); }; });
}

void add_inbox(CLI::App& app, Frame& frame, Chosen& chosen) {
  auto* inbox = app.add_subcommand("inbox", "folders of mailboxes that are polled")->require_subcommand(1);
  auto names = std::make_shared<std::vector<std::string>>();
  inbox->add_subcommand("list", "all of them, and how they go")->callback([&] { chosen = [&frame] { return run_inbox_list(frame); }; });

  auto* report = inbox->add_subcommand("report", "what the server has against what arrived; MISSING 0: it balances");
  report->add_option("inboxes", *names, "by id or name; none: all");
  report->callback([&frame, &chosen, names] { chosen = [&frame, names] { return run_inbox_report(frame, *names); }; });

  auto* poll = inbox->add_subcommand("poll", "look now, also after a failure");
  poll->add_option("inboxes", *names, "by id or name")->required();
  poll->callback([&frame, &chosen, names] { chosen = [&frame, names] { return run_inbox_poll(frame, *names); }; });

  auto* create = inbox->add_subcommand("create", "poll a folder of a mailbox; prints its id");
  auto draft = std::make_shared<InboxDraft>();
  create->add_option("--name", draft->name, "unique")->required();
  create->add_option("--connection", draft->connection, "of kind imap: its id or name")->required();
  create->add_option("--address", draft->address, "the mailbox's mail address")->required();
  create->add_option("--folder", draft->folder, "default INBOX");
  create->add_option("--board", draft->board, "every mail goes there: its id or name; default: by keywords");
  create->add_option("--smtp", draft->smtp, "answers go out through this connection: its id or name");
  create->add_option("--interval", draft->interval_seconds, "seconds between two looks when the server cannot push, 10 to 86400; default 60");
  create->add_flag("--no-push", draft->is_without_push, "never watch with IDLE");
  create->add_option("--after", draft->after, "what becomes of a mail there: keep, seen, move or delete; default keep");
  create->add_option("--after-folder", draft->after_folder, "of move");
  create->add_option("--duplicate-minutes", draft->duplicate_minutes, "same sender and subject within this is the same mail; default 0, off");
  create->add_option("--since", draft->since, "only mail received since (RFC 3339), or all; default: since now");
  create->callback([&frame, &chosen, draft] { chosen = [&frame, draft] { return run_inbox_create(frame, *draft); }; });
}

void add_filters(CLI::App& command, StandbyPick& pick) {
  command.add_option("--kind", pick.kind, "arrival, delivery or poison");
  command.add_option("--worker", pick.worker, "who gave up");
  command.add_option("--board", pick.board, "for this board (id or name)");
  command.add_option("--connection", pick.connection, "for this connection (id or name)");
  command.add_option("--reason", pick.reason_class, "class of the reason, like credentials");
  command.add_option("--group", pick.group, "group key");
}

void add_standby(CLI::App& app, Frame& frame, Chosen& chosen) {
  auto* standby = app.add_subcommand("standby", "what waits for a person")->require_subcommand(1);
  auto pick = std::make_shared<StandbyPick>();
  auto word = std::make_shared<std::string>();
  auto assignment = std::make_shared<StandbyAssignment>();

  auto* list = standby->add_subcommand("list", "oldest first");
  add_filters(*list, *pick);
  list->add_option("--state", pick->state, "comma separated; default open,assigned,retry_pending");
  list->add_option("--limit", pick->limit, "1 to 200")->check(CLI::Range(1, 200));
  list->callback([&frame, &chosen, pick] { chosen = [&frame, pick] { return run_standby_list(frame, *pick); }; });

  auto* show = standby->add_subcommand("show", "one item with its original and history");
  show->add_option("id", *word)->required();
  show->callback([&frame, &chosen, word] { chosen = [&frame, word] { return run_standby_show(frame, *word); }; });

  auto* assign = standby->add_subcommand("assign", "to a board, to a person, or with a note");
  assign->add_option("ids", pick->ids)->required();
  assign->add_option("--board", assignment->board, "where it goes at the next retry (id or name)");
  assign->add_option("--to", assignment->assignee, "a person");
  assign->add_option("--note", assignment->note);
  assign->callback([&frame, &chosen, pick, assignment] { chosen = [&frame, pick, assignment] { return run_standby_assign(frame, pick->ids, *assignment); }; });

  auto* retry = standby->add_subcommand("retry", "send on again: ids, or all that match");
  retry->add_option("ids", pick->ids);
  add_filters(*retry, *pick);
  retry->add_flag("--all", pick->all, "everything on the shelf");
  retry->add_option("--to-board", *word, "assign to this board on the way (id or name)");
  retry->callback([&frame, &chosen, pick, word] { chosen = [&frame, pick, word] { return run_standby_retry(frame, *pick, *word); }; });

  auto* remove = standby->add_subcommand("delete", "give up: ids, or all that match");
  remove->add_option("ids", pick->ids);
  add_filters(*remove, *pick);
  remove->add_flag("--all", pick->all, "everything on the shelf");
  remove->add_option("--because", *word, "why, for the history");
  remove->callback([&frame, &chosen, pick, word] { chosen = [&frame, pick, word] { return run_standby_delete(frame, *pick, *word); }; });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Postroom's command line"};
  app.require_subcommand(1);
  app.footer("Exit status: 0 done, 1 refused or failed (why is on standard error), 2 wrong usage.");
  app.fallthrough();  // --home and --json may stand anywhere
  Frame frame;
  Chosen chosen;
  app.add_option("--home", frame.home, "the installation (default: POSTROOM_HOME, else ./.postroom)");
  app.add_flag("--json", frame.as_json, "print what the api answered, instead of tables");
  add_setup(app, frame, chosen);
  add_looking(app, frame, chosen);
  add_ticket(app, frame, chosen);
  add_inbox(app, frame, chosen);
  add_standby(app, frame, chosen);
  add_mail(app, frame, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? succeeded : misused;
  }
  return chosen();
}
