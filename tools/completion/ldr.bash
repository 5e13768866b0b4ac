# Completion of ldr for bash, with or without the bash-completion package. What may follow is asked of ldr itself (`ldr __complete`), so it is
# what the installed ldr takes. Debian looks here: /usr/share/bash-completion/completions/ldr
_ldr() {
    local words=() word line value i joined=0
    # The shell splits at '=' and ':' too; ldr wants the words as they are typed.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ ${#words[@]} -gt 0 && ($joined = 1 || $word =~ ^[=:]+$) && $COMP_WORDBREAKS == *[=:]* ]]; then words[-1]+=$word; else words+=("$word"); fi
        [[ $word =~ ^[=:]+$ ]] && joined=1 || joined=0
    done
    word=${words[-1]}
    value=$word
    [[ $word == --*=* ]] && value=${word#*=}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :files) compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$value") ;;
        :dirs) compopt -o filenames 2>/dev/null; mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$value") ;;
        :programs)
            compopt -o filenames 2>/dev/null
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <({ compgen -f -- "$value"; compgen -c -- "$value"; } | sort -u) ;;
        :pids) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$(printf '%s\n' /proc/[0-9]* | sed 's:/proc/::')" -- "$value") ;;
        :users) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -u -- "$value") ;;
        :rest*)
            if declare -F _command_offset >/dev/null; then _command_offset "${line#:rest }"
            else compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$value"); fi ;;
        *)
            line=${line%%$'\t'*}
            [[ $line == *= ]] && compopt -o nospace 2>/dev/null
            # The shell puts the answer in the place of what follows the last '=' or ':'.
            [[ $word == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]] && line=${line#"${word%"${word##*[=:]}"}"}
            COMPREPLY+=("$line") ;;
        esac
    done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete "${words[@]}" 2>/dev/null)
}
complete -F _ldr ldr
