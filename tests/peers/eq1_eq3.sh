#!/bin/sh
# Eq. 1 and Eq. 3 in shell and awk: how small a program can be that `refimpl verify --program` judges.
# It leaves out D22 (the residual of rounding); eq1_eq3.xfails names the cases that notice.
in=$1 out=$2/emission.csv
case $(awk -F, '$1 == "operation" { print $2 }' "$in/task.csv") in
  emission) program='
    FNR == 1 { for (i = 1; i <= NF; i++) if (!($i in ec) && $i !~ /^(code|province|year)$/) refuse($i)
      for (i = 2; i <= NF; i++) for (j = 1; j < i; j++) if ($i == name[j]) refuse($i); else name[i] = $i; need("code"); need("year"); next }
    { e = 0; for (i = 1; i <= NF; i++) if (name[i] in ec) { if ($i !~ /^[0-9.]+([eE][-+]?[0-9]+)?$/) refuse(name[i]); e += $i * ec[name[i]] }
      if (seen[$at["code"], $at["year"]]++) refuse("code")
      text = text sprintf("\n%s,%s,%.17g", $at["code"], $at["year"], e) }
    END { if (!failed && NR < 2) refuse("consumption"); if (!failed) print "code,year,emission" text }'
    set -- "$in/consumption.csv" ;;
  allocate_cells) program='
    FNR == 1 { need("code"); need(NR == 1 ? "total" : "weight"); if (NR > 1) need("area_km2"); next }
    { for (i = 1; i <= NF; i++) if ($i !~ /^[0-9.]+([eE][-+]?[0-9]+)?$/) refuse(name[i]); c = $at["code"] }
    NR == FNR { if (c in total) refuse("code"); total[c] = $at["total"]; next }
    { a = $at["area_km2"]; if (a <= 0) refuse("area_km2")
      code[++k] = c; area[k] = a; share[k] = $at["weight"] * a; shares[c] += share[k]; areas[c] += a }
    END { if (failed) exit 1; print "code,emission"
      for (k = 1; k in code; k++) { c = code[k]; if (!(c in total)) print c ","
        else printf "%s,%.17g\n", c, total[c] * (shares[c] ? share[k] / shares[c] : area[k] / areas[c]) } }'
    set -- "$in/totals.csv" "$in/cells.csv" ;;
  *) exit 2 ;;
esac
awk -F, '
  function refuse(field) { print "refused: " field > "/dev/stderr"; failed = 1; exit 1 }
  function need(field) { if (!(field in at)) refuse(field) }
  BEGIN { n = split("coal 20908 26.37 .94 coke 28435 29.5 .93 crude_oil 41816 20.1 .98 gasoline 43070 18.9 .98 " \
      "kerosene 43070 19.5 .98 diesel 42652 20.2 .98 fuel_oil 41816 21.1 .98 natural_gas 389310 15.3 .99", t, " ")
    for (i = 1; i < n; i += 4) ec[t[i]] = t[i + 1] * t[i + 2] * t[i + 3] * 44 / 12 * 1e-6 }
  { sub(/\r$/, "") } FNR == 1 { split("", at); for (i = 1; i <= NF; i++) { at[$i] = i; name[i] = $i } }
  '"$program" "$@" > "$out" || { rm -f "$out"; exit 1; }
