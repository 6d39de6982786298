# shellcheck shell=bash
# The Debian 12 packages that Postroom needs, in groups, each with its reason. Sourced by install.sh.

declare -gA package_groups=()

package_groups[build]="
g++                    # GCC 12, the compiler
cmake                  # the build's description
ninja-build            # the build's engine
pkg-config             # finds libuv, rabbitmq-c and RE2
ccache                 # a second build takes seconds
mold                   # links in a tenth of the time
libfmt-dev             # text formatting
libssl-dev             # digests, sealed secrets, TLS
libcurl4-openssl-dev   # HTTP to Jira and Trello
libsqlite3-dev         # the ledger's database
libboost1.81-dev       # Asio and Beast, the front door
libboost-json1.81-dev  # JSON
libuv1-dev             # the workers' loop
librabbitmq-dev        # AMQP
libre2-dev             # regular expressions that cannot run away
libtomlplusplus-dev    # the configuration file
libcli11-dev           # the command line
libvalijson-dev        # JSON Schema
libgmime-3.0-dev       # MIME, in the confined child only
libgumbo-dev           # HTML, likewise
libseccomp-dev         # what confines it
"

package_groups[run]="
rabbitmq-server        # the broker; Postroom runs a private node of it
s6                     # supervises the processes
python3                # scripts, simulators, the demo's checker
ca-certificates        # whom Jira's and Trello's certificates are checked against
curl                   # to try the first ticket
"

package_groups[demo]="
openssl                # certificates of its mail servers
dovecot-imapd          # the mailboxes
dovecot-lmtpd          # where the SMTP servers deliver
opensmtpd              # a real SMTP server
python3-aiosmtpd       # one for ordinary users, and for TLS and logins
"

package_groups[test]="
doctest-dev            # C++ tests
python3                # tests of whole sets of processes, simulators, linters
shellcheck             # judges the shell scripts
openssl                # certificates for the simulators
git                    # which files the linters judge
dovecot-imapd          # the mailboxes of the tests and the demo
dovecot-lmtpd          # where their SMTP servers deliver
opensmtpd              # a real SMTP server
python3-aiosmtpd       # one for ordinary users, for TLS and logins, and for failures on purpose
"

# The package names of the groups given, without the reasons.
packages_of() {
  local group
  for group in "$@"; do
    printf '%s\n' "${package_groups[$group]}" | sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d'
  done | sort -u
}
