# Bash completion for messenger-node and messenger-client: asks the program itself for its options.
_messenger() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  case "$before" in
    --cafile | --cert | --key | --password-file | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    --capath | --credentials) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W 'debug info warn error off' -- "$word") ;;
    --log-format) mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$word") ;;
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word") ;;
    -V | --mqtt-version) mapfile -t COMPREPLY < <(compgen -W 'mqttv5 mqttv311' -- "$word") ;;
    --tls-version) mapfile -t COMPREPLY < <(compgen -W 'tlsv1.2 tlsv1.3' -- "$word") ;;
    -q | --qos) mapfile -t COMPREPLY < <(compgen -W '0 1' -- "$word") ;;
    admin) mapfile -t COMPREPLY < <(compgen -W 'kick drain' -- "$word") ;;
    *)
      local words
      words=$("$program" --help 2>/dev/null | grep -oE '^  (-[A-Za-z],)?--[a-z-]+' | grep -oE '\-\-[a-z-]+')
      [ "${program##*/}" != messenger-client ] || words="$words nodes ping status top bench admin"
      mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
      ;;
  esac
}
complete -F _messenger messenger-node messenger-client
